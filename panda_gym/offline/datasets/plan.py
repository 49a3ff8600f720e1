"""Divide the episodes of a data set among behaviours and shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from panda_gym.errors import SettingError

SEED: Final = 500_000
"""First seed of a data set: above those of evaluation (from 1000), below those of training (from
1,000,000), so that no agent is logged on a seed that it was trained or evaluated on."""


@dataclass(frozen=True)
class Shard:
    """Episodes of one behaviour that are played side by side and written to one file."""

    name: str
    behaviour: int
    """Its place among the behaviours."""
    seeds: tuple[int, ...]
    """One episode each."""


def shards(
    transitions: int, jobs: int, weights: Sequence[float], seed: int, side_by_side: int
) -> list[Shard]:
    """Return the shards of at least `transitions` decisions in episodes of `jobs`.

    Whole episodes are allocated to the behaviours in proportion to their weights, by largest
    remainder, at least one each. Episode i of the data set has seed `seed + i`, whatever
    `side_by_side` is.
    """
    if transitions < 1:
        raise SettingError("at least one transition", repr(transitions), "pass transitions=100000")
    counts = allocated(max(-(-transitions // jobs), len(weights)), weights)
    plan: list[Shard] = []
    first = seed
    for behaviour, count in enumerate(counts):
        for start in range(0, count, side_by_side):
            few = range(first + start, first + min(start + side_by_side, count))
            plan.append(Shard(f"shard-{len(plan):05d}.parquet", behaviour, tuple(few)))
        first += count
    return plan


def allocated(episodes: int, weights: Sequence[float]) -> list[int]:
    """Return how many of `episodes` each weight gets, at least one, by largest remainder."""
    share = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    exact = share * (episodes - len(share)) + 1.0
    counts = np.floor(exact).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: episodes - counts.sum()]] += 1
    return [int(count) for count in counts]
