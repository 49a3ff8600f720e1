"""Describe the features of an observation: name, unit, meaning and encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from panda_gym.errors import PolicyError, nearest

Array = np.ndarray


@dataclass(frozen=True)
class Feature:
    """One number of an observation."""

    name: str
    unit: str
    kind: Literal["linear", "ratio"]
    scale: float
    meaning: str

    def encode(self, value: Array) -> Array:
        """Natural units to what stands in the observation (float32)."""
        if self.kind == "linear":
            return np.asarray(value / self.scale, dtype=np.float32)
        return np.asarray(value / (value + self.scale), dtype=np.float32)

    def decode(self, code: Array) -> Array:
        """What stands in the observation to natural units (float64)."""
        code = np.asarray(code, dtype=np.float64)
        if self.kind == "linear":
            return code * self.scale
        return code * self.scale / np.maximum(1.0 - code, 1e-12)


def position(table: tuple[Feature, ...], name: str) -> int:
    """Row of feature `name` in a table; PolicyError names the nearest if there is none."""
    for row, feature in enumerate(table):
        if feature.name == name:
            return row
    known = [feature.name for feature in table]
    raise PolicyError("a feature of the observation", repr(name), nearest(name, known))
