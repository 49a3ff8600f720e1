"""Interquartile means with stratified bootstrap intervals.

After Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice",
NeurIPS 2021: the interquartile mean over runs, and a percentile bootstrap in which the runs of
each task (here: the seeds of each stream) are drawn again among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from metrics.statistics.intervals import Interval, from_draws

__all__ = ["REPEATS", "Interval", "bootstrap", "iqm", "mean"]

REPEATS = 2000
"""Bootstrap samples of an interval."""


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
    whole = np.concatenate(strata)
    return from_draws(float(statistic(whole, axis=0)), samples, level, len(whole))
