"""Gymnasium spaces of tables of features, and the flat form of dictionaries of observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.features import Table
from panda_gym.errors import SettingError

Array = np.ndarray

OBSERVATIONS: Final = ("dict", "flat")
MASK: Final = "action_mask"


def bounds(table: Table, *axes: int, lead: tuple[int, ...] = ()) -> tuple[Array, Array]:
    """Smallest and largest codes, float32[*lead, F, *axes] each."""
    shape = (*lead, len(table), *axes)
    column = (len(table), *(1 for _ in axes))
    low = np.array([feature.low for feature in table], dtype=np.float32).reshape(column)
    high = np.array([feature.high for feature in table], dtype=np.float32).reshape(column)
    return np.broadcast_to(low, shape).copy(), np.broadcast_to(high, shape).copy()


def box(table: Table, *axes: int, lead: tuple[int, ...] = ()) -> spaces.Box:
    """Space of a part of an observation, float32[*lead, F, *axes]."""
    low, high = bounds(table, *axes, lead=lead)
    return spaces.Box(low, high, dtype=np.float32)


def check_observation(form: str) -> str:
    """Return the form of observations; SettingError if it is not one of OBSERVATIONS."""
    if form not in OBSERVATIONS:
        raise SettingError(f"observation in {OBSERVATIONS}", repr(form), "choose one")
    return form


def flat_space(space: spaces.Dict, names: Sequence[str], lead: int = 0) -> spaces.Box:
    """Return the space of the flat form: the named parts one after the other, row by row.

    lead: how many first axes of all parts remain.
    """
    low, high = (
        flatten({name: getattr(space[name], side) for name in names}, names, lead)
        for side in ("low", "high")
    )
    return spaces.Box(low, high, dtype=np.float32)


def flatten(parts: Mapping[str, Array], names: Sequence[str], lead: int = 1) -> Array:
    """Return the named parts one after the other, [..., D]; `lead` first axes of all remain."""
    rows = [parts[name].reshape(*parts[name].shape[:lead], -1) for name in names]
    return np.concatenate(rows, axis=-1)
