"""Turn the report of a batch into the info dictionaries of Gymnasium."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.environments.base.batch import Batch
from panda_gym.errors import SettingError

Array = np.ndarray
INFOS: Final = ("full", "cost")
"""What `info` holds: every entry, or the cost alone."""


def check_info(info: str) -> str:
    """Return the name of what `info` holds; SettingError for another than those of INFOS."""
    if info not in INFOS:
        raise SettingError("info 'full' or 'cost'", repr(info), "choose one")
    return info


def report(batch: Batch, info: str, rewards: Array | None = None) -> dict[str, Any]:
    """Return the entries of `info`, arrays [E] by key; rewards: the last ones if they are known."""
    return batch.report(rewards) if info == "full" else {"cost": batch.cost()}


def one_info(report: dict[str, Any], e: int) -> dict[str, Any]:
    """Return the info of episode e as Python numbers; rows of two-dimensional arrays as arrays."""
    return {
        name: one_info(value, e) if isinstance(value, dict) else _one(value, e)
        for name, value in report.items()
    }


def _one(values: Array, e: int) -> Any:
    return values[e].item() if values.ndim == 1 else values[e].copy()


def masked(report: dict[str, Any], which: Array) -> dict[str, Any]:
    """Return batched infos in Gymnasium's form: `_key` says for which episodes `key` is valid.

    All of these masks are the array `which` itself.
    """
    infos: dict[str, Any] = {}
    for name, value in report.items():
        infos[name] = masked(value, which) if isinstance(value, dict) else value
        infos[f"_{name}"] = which
    return infos
