"""A column of times as shares and counts: cycles, bursts and memory.

Times are seconds since 1970 (UTC). Monday is the first day of the week.
"""

from __future__ import annotations

import numpy as np

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
LAGS = 168
"""Lags of the autocorrelation, hours: one week."""
GAP_EDGES_S = np.r_[0.0, np.geomspace(1.0, 1e6, 25), np.inf]
"""Bins of the time between successive rows, seconds."""


def hours_of_day(seconds: np.ndarray) -> np.ndarray:
    """Return the hour of the day of each time, int[n], 0 to 23."""
    return (seconds // HOUR_S % 24).astype(np.int64)


def days_of_week(seconds: np.ndarray) -> np.ndarray:
    """Return the weekday of each time, int[n], Monday 0."""
    return ((seconds // DAY_S + 3) % 7).astype(np.int64)  # 1 January 1970 was a Thursday


def hours_of_week(seconds: np.ndarray) -> np.ndarray:
    """Return the hour of the week of each time, int[n], 0 (Monday, midnight) to 167."""
    return 24 * days_of_week(seconds) + hours_of_day(seconds)


def hour_of_day(seconds: np.ndarray) -> np.ndarray:
    """Return the share of rows in each hour of the day, float64[24]."""
    return shares(hours_of_day(seconds), 24)


def day_of_week(seconds: np.ndarray) -> np.ndarray:
    """Return the share of rows on each weekday, float64[7]."""
    return shares(days_of_week(seconds), 7)


def hour_of_week(seconds: np.ndarray) -> np.ndarray:
    """Return the share of rows in each hour of the week, float64[168]."""
    return shares(hours_of_week(seconds), 168)


def hours_since(seconds: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the hour of each time counted from that of `start`, int[n].

    Times before `start` or after `stop` count for the first or the last hour.
    """
    first, last = int(start // HOUR_S), int(stop // HOUR_S)
    return np.clip((seconds // HOUR_S).astype(np.int64), first, last) - first


def hourly_counts(seconds: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the number of rows in each hour from `start` to `stop`, float64[hours]."""
    size = int(stop // HOUR_S) - int(start // HOUR_S) + 1
    return np.bincount(hours_since(seconds, start, stop), minlength=size).astype(np.float64)


def daily_counts(seconds: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the number of rows on each day (UTC) from `start` to `stop`, float64[days]."""
    first, last = int(start // DAY_S), int(stop // DAY_S)
    days = np.clip((seconds // DAY_S).astype(np.int64), first, last) - first
    return np.bincount(days, minlength=last - first + 1).astype(np.float64)


def autocorrelation(counts: np.ndarray, lags: int = LAGS) -> np.ndarray:
    """Return the autocorrelation of counts at lags 1 to `lags`, float64[lags] (Bartlett)."""
    around = counts - counts.mean()
    total = float(around @ around)
    if total == 0:
        return np.zeros(lags)
    return np.array([float(around[k:] @ around[:-k]) / total for k in range(1, lags + 1)])


def fano(counts: np.ndarray) -> float:
    """Return the Fano factor of counts, variance over mean: 1 for a Poisson process."""
    return float(counts.var() / counts.mean()) if counts.mean() > 0 else 0.0


def gaps(seconds: np.ndarray) -> np.ndarray:
    """Return the share of times between successive rows in each bin of `GAP_EDGES_S`."""
    return shares(np.digitize(np.diff(np.sort(seconds)), GAP_EDGES_S) - 1, len(GAP_EDGES_S) - 1)


def shares(bins: np.ndarray, size: int) -> np.ndarray:
    """Return the share of entries in each of `size` bins, float64[size]."""
    return np.bincount(bins, minlength=size) / max(len(bins), 1)
