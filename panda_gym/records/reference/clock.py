"""The clock of submissions: cycles, holidays and noise over the period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.records.reference import tables

SECONDS: int = tables.DAYS * 86400
"""Length of the period, s."""


@dataclass(frozen=True)
class Clock:
    """The cumulative share of submissions at each full hour of the period."""

    cumulative: np.ndarray
    """float64[hours + 1], from 0 to 1, increasing."""

    def second(self, share: np.ndarray) -> np.ndarray:
        """Seconds since the start at which `share` of the submissions have happened.

        Shape:
            share [n] in [0, 1]; returns float64[n] in [0, SECONDS].
        """
        hours = np.interp(share, self.cumulative, np.arange(len(self.cumulative)))
        return hours * 3600.0


def clock(rng: np.random.Generator) -> Clock:
    """Draw the noise of one period and lay the cycles over it."""
    rate = calendar() * np.exp(
        np.repeat(_autoregressive(tables.DAYS, *tables.DAY_NOISE, rng), 24)
        + _autoregressive(tables.DAYS * 24, *tables.HOUR_NOISE, rng)
    )
    cumulative = np.concatenate([[0.0], np.cumsum(rate)])
    return Clock(cumulative / cumulative[-1])


def calendar() -> np.ndarray:
    """Relative rate of submission at each hour of the period, without noise: float64[hours]."""
    days = tables.START.astype("datetime64[D]") + np.arange(tables.DAYS)
    # 1970-01-01 was a Thursday, day 3 of a week that starts on Monday.
    weekday = (days.astype(np.int64) + 3) % 7
    weeks = [day.isocalendar()[1] for day in days.tolist()]
    level = np.array(tables.WEEKDAY)[weekday] * [tables.HOLIDAY.get(week, 1.0) for week in weeks]
    return (level[:, None] * tables.HOUR[None, :]).ravel()


def _autoregressive(n: int, sd: float, lag: float, rng: np.random.Generator) -> np.ndarray:
    """A stationary AR(1) path of `n` values with standard deviation `sd`."""
    innovations = rng.normal(0.0, sd * np.sqrt(1.0 - lag * lag), n)
    innovations[0] = rng.normal(0.0, sd)
    path = np.empty(n)
    level = 0.0
    for i, step in enumerate(innovations.tolist()):
        level = lag * level + step
        path[i] = level
    return path
