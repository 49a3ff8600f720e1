"""Gymnasium spaces of tables of features."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.features import Table

Array = np.ndarray


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
