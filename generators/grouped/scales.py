"""The scale on which a number's deviation from its batch's typical value is taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FLOAT_UNIT = 0.1
"""Part of the 1 % quantile of positive values that counts as "about zero"."""
FAR = 1e100
"""What lies farther than this counts as so far: squares of distances and their sums stay finite."""
GREATEST = 1e308
"""What a place may stand for, so that no value overflows."""


@dataclass(frozen=True)
class Scale:
    """A monotone map of a column on which distances are taken: ln(1 + x / unit), or x itself."""

    unit: float
    """0 where distances are taken on x itself."""
    low: float
    """Least value seen."""
    high: float
    """Greatest value seen."""
    whole: bool
    """Whether values are whole numbers."""
    least: float = 0.0
    """Least value where the typical one is positive: above 0 if no batch mixes 0 with others."""

    @classmethod
    def fit(cls, values: np.ndarray) -> Scale:
        """Return the scale of values [n] without missing ones; logarithmic if none is negative."""
        whole = values.dtype.kind == "i"
        if not len(values):
            return cls(0.0, 0.0, 0.0, whole)
        low, high = float(values.min()), float(values.max())
        positive = values[values > 0]
        unit = 0.0
        if low >= 0 and len(positive):
            unit = 1.0 if whole else FLOAT_UNIT * float(np.quantile(positive, 0.01))
        return cls(unit if np.isfinite(high / unit if unit else 0.0) else 0.0, low, high, whole)

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the place of each value, float64[n]."""
        x = np.asarray(values, np.float64)
        return np.log1p(np.maximum(x, 0.0) / self.unit) if self.unit else np.clip(x, -FAR, FAR)

    def moved(self, typical: np.ndarray, by: np.ndarray) -> np.ndarray:
        """Return the values that lie `by` from `typical`; exactly these where `by` is 0."""
        place = self.of(typical) + by
        x = place
        if self.unit:
            x = np.expm1(np.minimum(place, min(700.0, math.log(GREATEST / self.unit)))) * self.unit
        x = np.clip(x, np.where(typical > 0, max(self.low, self.least), self.low), self.high)
        if not self.whole:
            return np.where(by == 0.0, typical, x)
        # Whole numbers beyond 2^53 are rounded to what a float can hold, and kept in range.
        near = np.rint(np.clip(x, -9.2e18, 9.2e18)).astype(np.int64)
        return np.where(by == 0.0, typical, near)
