"""Intervals of a statistic: from bootstrap draws by percentiles, and of a mean by Student's t.

Benchmarks, off-policy estimates and pipeline experiments take their intervals from here. Intervals
of distances between tables, which are biased by resampling, are in `metrics.statistics.resampling`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

Array = np.ndarray


@dataclass(frozen=True)
class Interval:
    """A statistic with its interval."""

    value: float
    """The statistic of the sample."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    n: int
    """Runs that it is computed from."""

    def apart(self, other: Interval) -> bool:
        """Whether the two intervals do not overlap."""
        return self.high < other.low or other.high < self.low

    def excludes(self, value: float) -> bool:
        """Whether `value` lies outside the interval."""
        return self.low > value or self.high < value


def percentiles(draws: Array, level: float) -> tuple[Array, Array]:
    """Return the ends of the percentile interval of bootstrap draws, float64[draws, ...].

    Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979).
    """
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def from_draws(value: float, draws: Array, level: float, n: int) -> Interval:
    """Return a statistic of n runs with the percentile interval of its draws, float64[draws]."""
    low, high = percentiles(np.asarray(draws), level)
    return Interval(value, float(low), float(high), n)


def mean_interval(values: Array, level: float = 0.95) -> Interval:
    """Return the mean of the values that are not nan with its interval by Student's t.

    The ends equal the mean for a single value; all are nan without any.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[~np.isnan(values)]
    n = len(values)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    mean = float(values.mean())
    half = float(stats.t.ppf(0.5 + level / 2, n - 1) * stats.sem(values)) if n > 1 else 0.0
    return Interval(mean, mean - half, mean + half, n)
