"""Features of an observation: one table row each with name, unit, encoding, range and meaning.

The tables of a family (`observation.py`) are the only place where its features stand. Spaces, views
in natural units, encoders and the tables of the class docstrings are derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from panda_gym.errors import PolicyError, nearest

Array = np.ndarray

UNBOUNDED: Final = 100.0
"""Upper bound that spaces state for linear features without a natural one, such as core power."""


@dataclass(frozen=True)
class Feature:
    """One number of an observation."""

    name: str
    unit: str
    kind: Literal["linear", "ratio"]
    """How it is encoded: x / scale, or x / (x + scale), which maps [0, inf) to [0, 1)."""
    scale: float
    meaning: str
    least: float = 0.0
    """Smallest value of a linear feature in natural units; a ratio has 0."""
    most: float | None = None
    """Largest value of a linear feature in natural units; None: no natural bound."""

    def encode(self, value: Array) -> Array:
        """Return the code of a value in natural units, float32."""
        if self.kind == "linear":
            return np.asarray(value / self.scale, dtype=np.float32)
        return np.asarray(value / (value + self.scale), dtype=np.float32)

    def decode(self, code: Array) -> Array:
        """Return the value in natural units of a code, float64."""
        code = np.asarray(code, dtype=np.float64)
        if self.kind == "linear":
            return code * self.scale
        return code * self.scale / np.maximum(1.0 - code, 1e-12)

    @property
    def low(self) -> float:
        """Smallest code."""
        return self.least / self.scale if self.kind == "linear" else 0.0

    @property
    def high(self) -> float:
        """Largest code."""
        if self.kind == "ratio":
            return 1.0
        return UNBOUNDED if self.most is None else self.most / self.scale


Table = tuple[Feature, ...]


def position(table: Table, name: str) -> int:
    """Row of feature `name` in a table; PolicyError names the nearest if there is none."""
    for row, feature in enumerate(table):
        if feature.name == name:
            return row
    known = [feature.name for feature in table]
    raise PolicyError("a feature of the observation", repr(name), nearest(name, known))


def scales(table: Table, kernel_rows: tuple[str, ...], dtype: type = np.float32) -> Array:
    """Scales of a table for a kernel that writes rows of these names in this order, [F]."""
    assert tuple(feature.name for feature in table) == kernel_rows, "table and kernel disagree"
    return np.array([feature.scale for feature in table], dtype=dtype)


def encode(table: Table, values: Mapping[str, Array]) -> Array:
    """Features in natural units, each [E, ...], as float32[E, len(table), ...] cut to [0, 1]."""
    rows = []
    for feature in table:
        x = np.maximum(np.asarray(values[feature.name], dtype=np.float64), 0.0)
        rows.append(np.minimum(feature.encode(x), 1.0))
    return np.stack(rows, axis=1)


def encode_rows(table: Table, values: Array) -> Array:
    """Return the codes of all features at once: `Feature.encode` of values float64[F, ...]."""
    scale, ratio = _rows_of(table, values.ndim)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(ratio, values / (values + scale), values / scale)
    return found.astype(np.float32)


def decode_rows(table: Table, codes: Array) -> Array:
    """Return all features in natural units at once: `Feature.decode` of codes [F, ...]."""
    scale, ratio = _rows_of(table, codes.ndim)
    codes = np.asarray(codes, dtype=np.float64)
    found: Array = np.where(ratio, codes * scale / np.maximum(1.0 - codes, 1e-12), codes * scale)
    return found


def _rows_of(table: Table, axes: int) -> tuple[Array, Array]:
    """Return scale and kind of every feature as columns of so many axes."""
    shape = (len(table), *(1,) * (axes - 1))
    scale = np.array([feature.scale for feature in table]).reshape(shape)
    return scale, np.array([feature.kind == "ratio" for feature in table]).reshape(shape)
