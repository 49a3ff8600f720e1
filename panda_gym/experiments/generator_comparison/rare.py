"""Measure total variation over rare levels, which averages over all levels hide."""

from __future__ import annotations

import numpy as np
import pandas as pd

RARE = 0.001
"""Share of the training rows below which a level is rare."""
DRAWS = 200
"""Bootstrap draws behind the interval."""


def rare_variation(
    table: pd.DataFrame, train: pd.DataFrame, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the total variation over rare levels of `table` from `train`, with a 95 % interval.

    Half the sum of |share in table - share in train| over the levels that less than a thousandth
    of the training rows have, of all categories, relative to those levels' share in train: 0 where
    every rare level is as frequent as it should be, 1/2 where all are gone. NaN without such
    levels. The interval is of a Poisson bootstrap of the counts.
    """
    mine, real = _rare_counts(table, train)
    if not len(real):
        return (np.nan,) * 3
    expected = real * (len(table) / len(train))
    value = _variation(mine, expected)
    draws = np.array([_variation(rng.poisson(mine), expected) for _ in range(DRAWS)])
    low, high = value + np.quantile(draws - draws.mean(), [0.025, 0.975])
    return value, max(float(low), 0.0), float(high)


def _variation(counts: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(counts - expected).sum() / (2 * expected.sum()))


def _rare_counts(table: pd.DataFrame, train: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each rare level of any category is in the table and in train."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for name in train.columns:
        if isinstance(train[name].dtype, pd.CategoricalDtype):
            real = train[name].value_counts()
            real = real[(real > 0) & (real < RARE * len(train))]
            mine = table[name].value_counts().reindex(real.index, fill_value=0)
            found.append((mine.to_numpy(float), real.to_numpy(float)))
    if not found:
        return np.empty(0), np.empty(0)
    mine, real = (np.concatenate(part) for part in zip(*found, strict=True))
    return mine, real
