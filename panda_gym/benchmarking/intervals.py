"""Interquartile means with stratified bootstrap intervals.

After Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice",
NeurIPS 2021: the interquartile mean over runs, and a percentile bootstrap in which the runs of
each task (here: the seeds of each stream) are drawn again among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy import optimize, stats

from metrics.statistics.intervals import Interval, from_draws

__all__ = ["POWER", "REPEATS", "Interval", "bootstrap", "detectable", "iqm", "mean"]

REPEATS = 2000
"""Bootstrap samples of an interval."""

POWER = 0.8
"""Probability with which the smallest detectable difference would be shown."""


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
    whole = np.concatenate([np.asarray(runs, dtype=np.float64) for runs in strata])
    samples = _draws(strata, seed, repeats, statistic)
    return from_draws(float(statistic(whole, axis=0)), samples, level, len(whole))


def detectable(
    strata: Sequence[np.ndarray],
    *,
    level: float = 0.95,
    power: float = POWER,
    seed: int = 0,
    repeats: int = REPEATS,
    statistic: Callable[..., np.ndarray] = iqm,
) -> float:
    """Return the smallest true value that these runs show to differ from 0 with such a power.

    A two-sided Student's t test at 1 - `level` finds an effect of this size with probability
    `power` (Cohen, Statistical Power Analysis, 1988; noncentral t). Its standard error is that of
    the bootstrap, times sqrt(n / (n - K)) for n runs in K strata; inf where n = K.

    strata, statistic: as in `bootstrap`, differences in pairs.
    """
    n = sum(map(len, strata))
    freedom = n - len(strata)
    if freedom < 1:
        return float("inf")
    error = float(np.std(_draws(strata, seed, repeats, statistic))) * np.sqrt(n / freedom)
    return error * _effect(freedom, level, power)


@cache
def _effect(freedom: int, level: float, power: float) -> float:
    """Return the effect, in standard errors, that a t test finds with probability `power`.

    The chance of an error of sign, below 1e-5 at such a power, is left out.
    """
    critical = stats.t.ppf((1 + level) / 2, freedom)
    low = high = critical
    while stats.nct.sf(critical, freedom, high) < power:
        low, high = high, high + 1.0
    return float(
        optimize.brentq(lambda d: stats.nct.sf(critical, freedom, d) - power, low - 1.0, high)
    )


def _draws(
    strata: Sequence[np.ndarray], seed: int, repeats: int, statistic: Callable[..., np.ndarray]
) -> np.ndarray:
    """Return the statistic of bootstrap samples, runs drawn within strata, float64[repeats]."""
    rng = np.random.default_rng(seed)
    runs = [np.asarray(one, dtype=np.float64) for one in strata]
    drawn = [one[rng.integers(0, len(one), (repeats, len(one)))] for one in runs]
    return statistic(np.concatenate(drawn, axis=1), axis=1)
