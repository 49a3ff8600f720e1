"""Seed the episodes of a batch and begin those anew that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from panda_gym.environments.base.batch import Batch
from panda_gym.environments.base.info import masked
from panda_gym.errors import SeedError, check_seed

Array = np.ndarray


def spread_seeds(seed: Any, n: int) -> list[int | None]:
    """Return n seeds: seed, seed + 1, ... of a single one, or those given."""
    if seed is None:
        return [None] * n
    if isinstance(seed, list | tuple | np.ndarray):
        if len(seed) != n:
            raise SeedError(
                f"{n} seeds, one for each environment", f"{len(seed)}", "pass one seed for all"
            )
        return [None if one is None else check_seed(one) for one in seed]
    return [check_seed(seed) + e for e in range(n)]


def begin_again(
    batch: Batch, generators: Sequence[np.random.Generator], done: Array, report: dict[str, Any]
) -> dict[str, Any]:
    """Begin new episodes where `done`; return what Gymnasium's infos say of the ended ones.

    report: the report of the batch before.
    """
    ended, final = np.flatnonzero(done).tolist(), np.full(len(done), None, dtype=object)
    infos = {"final_info": masked(report, done.copy()), "_final_info": done.copy()}
    for e in ended:
        final[e] = batch.observe_one(e)
    infos |= {"final_obs": final, "_final_obs": done.copy()}
    batch.begin((e, generators[e]) for e in ended)
    return infos
