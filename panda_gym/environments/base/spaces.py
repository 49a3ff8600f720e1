"""Gymnasium spaces of tables of features, and the flat form of dictionaries of observations."""

from __future__ import annotations

from collections.abc import Mapping
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


def flat_space(space: spaces.Dict) -> spaces.Box:
    """Return the space of the flat form: the parts one after the other, row by row."""
    boxes = [box for name, box in space.spaces.items() if name != MASK]
    low, high = (
        np.concatenate([getattr(box, side).ravel() for box in boxes]) for side in ("low", "high")
    )
    return spaces.Box(low, high, dtype=np.float32)


def flatten(space: spaces.Dict, parts: Mapping[str, Array]) -> Array:
    """Return batched parts [E, ...] as float32[E, D], in the order of the space."""
    names = [name for name in space.spaces if name != MASK]
    return np.concatenate([parts[name].reshape(len(parts[name]), -1) for name in names], axis=1)
