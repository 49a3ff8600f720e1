"""Interquartile means with stratified bootstrap intervals; knows numbers, never policies.

After Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice",
NeurIPS 2021: the interquartile mean over runs, and a percentile bootstrap in which the runs of
each task (here: the seeds of each stream) are drawn again among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

REPEATS = 2000
"""Bootstrap samples of an interval."""


@dataclass(frozen=True)
class Interval:
    """A statistic with its interval."""

    value: float
    """The statistic of the sample."""
    low: float
    """Lower end of the interval; equal to the value where there is one run a stratum."""
    high: float
    """Upper end of the interval."""
    n: int
    """Runs behind it."""

    def apart(self, other: Interval) -> bool:
        """Whether the two intervals do not overlap."""
        return self.high < other.low or other.high < self.low


def iqm(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Interquartile mean: the mean of the middle half of the values."""
    return np.asarray(stats.trim_mean(values, 0.25, axis=axis))


def mean(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Arithmetic mean, with the signature of `iqm`."""
    return np.asarray(np.mean(values, axis=axis))


def bootstrap(
    strata: Sequence[np.ndarray],
    *,
    level: float = 0.95,
    seed: int = 0,
    repeats: int = REPEATS,
    statistic: Callable[..., np.ndarray] = iqm,
) -> Interval:
    """Return `statistic` of all strata together with its percentile interval.

    strata: float64[n_k] each, at least one run each. `statistic(values, axis=)` as `iqm`.
    """
    rng = np.random.default_rng(seed)
    strata = [np.asarray(runs, dtype=np.float64) for runs in strata]
    drawn = [runs[rng.integers(0, len(runs), (repeats, len(runs)))] for runs in strata]
    samples = statistic(np.concatenate(drawn, axis=1), axis=1)
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    whole = np.concatenate(strata)
    return Interval(float(statistic(whole, axis=0)), float(low), float(high), len(whole))
