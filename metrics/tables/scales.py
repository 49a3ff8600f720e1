"""Scales for numbers, each fitted on a reference column.

Every scale is a map fitted on the reference column and applied to any column:

rank    the reference's empirical distribution function at mid-ranks, linear in between: 0 to 1,
        blind to units and heavy tails;
minmax  (x - min) / (max - min) of the reference, as in the paper;
log     the same of ln(1 + x - min): sees the bulk and the tail of a heavy-tailed number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from metrics.errors import MetricError

Scale = Callable[[np.ndarray], np.ndarray]


def rank(reference: np.ndarray) -> Scale:
    """Return the map of a value to its mid-rank in `reference`, in [0, 1]."""
    values, counts = np.unique(reference, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(reference)

    def apply(x: np.ndarray) -> np.ndarray:
        return np.interp(x, values, middle, left=0.0, right=1.0)

    return apply


def minmax(reference: np.ndarray) -> Scale:
    """Return the map that takes `reference` onto [0, 1] (a constant onto 0)."""
    low = float(reference.min())
    span = float(reference.max()) - low or 1.0
    return lambda x: (x - low) / span


def log(reference: np.ndarray) -> Scale:
    """Return ln(1 + x - min) divided by its span; below the minimum it mirrors."""
    low = float(reference.min())
    span = float(np.log1p(reference.max() - low)) or 1.0
    return lambda x: np.sign(x - low) * np.log1p(np.abs(x - low)) / span


SCALES = {"rank": rank, "minmax": minmax, "log": log}
"""The scales by name."""


def fit(name: str, reference: np.ndarray) -> Scale:
    """Return the scale of this name fitted on the values of `reference` that are present."""
    if name not in SCALES:
        raise MetricError("a scale", repr(name), f"choose one of {', '.join(sorted(SCALES))}")
    return SCALES[name](reference[~np.isnan(reference)])
