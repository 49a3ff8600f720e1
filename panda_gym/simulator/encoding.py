"""The scales by which the kernel writes the features of an observation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.simulator.state import GRID_ROWS, JOB_ROWS, SITE_ROWS


class Feature(Protocol):
    """A feature of the observation: a name and a scale."""

    @property
    def name(self) -> str:
        """Name of the row."""

    @property
    def scale(self) -> float:
        """Constant of the code."""


Features = Sequence[Feature]


class Encoding(NamedTuple):
    """Scales of the observation's features, in the order of the kernel's rows."""

    sites: np.ndarray
    """float32[len(SITE_ROWS)]"""
    job: np.ndarray
    """float32[len(JOB_ROWS)]"""
    grid: np.ndarray
    """float32[len(GRID_ROWS)]"""

    @classmethod
    def of(cls, sites: Features, job: Features, grid: Features) -> Encoding:
        """Return the scales of the observation's tables; SettingError unless they list the rows.

        Each table lists features with a `name` and a `scale`, in the order of the kernel's rows.
        """
        parts = []
        for table, rows in ((sites, SITE_ROWS), (job, JOB_ROWS), (grid, GRID_ROWS)):
            names = tuple(feature.name for feature in table)
            if names != rows:
                raise SettingError(f"the features {rows}", f"{names}", "list them in that order")
            parts.append(np.array([feature.scale for feature in table], dtype=np.float32))
        return cls(*parts)
