"""Calendar features of a log rate: trend, hour, weekday and holidays.

Hours are counted from 1970-01-01 00:00 UTC. Each column of the design is a known function of the
hour; its weight is learnt with a normal prior, so that a short window moves it little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generators.errors import GeneratorError

HARMONICS = 5
"""Harmonics of the day; the sixth and later ones fall below an hour's noise."""
SPREAD = {
    "level": 5.0,
    "trend": 0.1,
    "day": 0.5,
    "weekend": 0.5,
    "weekday": 0.08,
    "weekend's day": 0.12,
    "holiday": 0.5,
}
"""Prior standard deviation of the weights, in units of the log rate.

A weekend differs from the week by much, weekdays from each other and a weekend's daily cycle from
the week's by little; harmonics fall as their order. Where data are many they overrule this. A
trend over some months is more often chance than a rule (the slow path of `rate` does as well), and
a forecast that keeps it pays for it: it needs most evidence.
"""


@dataclass(frozen=True)
class Cycles:
    """The columns of a log rate that depend on the calendar alone."""

    first: int
    """First hour of the window."""
    hours: int
    """Hours of the window, at least 1."""
    holidays: tuple[str, ...]
    """Spans of days as "MM-DD/MM-DD", both included, over New Year where the first is later."""

    def design(self, hour: np.ndarray) -> np.ndarray:
        """Return the columns at hours [n] counted from the window's first, float64[n, k].

        Past the window's end the trend stays where it stood: a line that was fitted to some
        months is no forecast of a year.
        """
        hour = np.asarray(hour, np.int64)
        at = self.first + hour
        angle = 2.0 * np.pi * (at % 24)[:, None] / 24.0 * np.arange(1, HARMONICS + 1)
        weekday = (at // 24 + 3) % 7
        weekend = (weekday >= 5).astype(np.float64)
        along = np.clip(hour, 0, self.hours - 1) / max(self.hours - 1, 1) - 0.5
        columns = [
            np.ones((len(at), 1)),
            along[:, None],
            np.cos(angle),
            np.sin(angle),
            (weekday[:, None] == np.arange(7)).astype(np.float64),
            weekend[:, None],
            weekend[:, None] * np.column_stack([np.cos(angle[:, 0]), np.sin(angle[:, 0])]),
            holidays(at // 24, self.holidays),
        ]
        return np.concatenate(columns, axis=1)

    def precision(self) -> np.ndarray:
        """Return the prior precision of each column's weight, float64[k]."""
        order = np.tile(np.arange(1, HARMONICS + 1), 2)
        spread = np.concatenate(
            [
                [SPREAD["level"], SPREAD["trend"]],
                SPREAD["day"] / order**1.5,
                np.full(7, SPREAD["weekday"]),
                [SPREAD["weekend"]],
                np.full(2, SPREAD["weekend's day"]),
                np.full(len(self.holidays), SPREAD["holiday"]),
            ]
        )
        return spread**-2.0


def holidays(day: np.ndarray, spans: Sequence[str]) -> np.ndarray:
    """Return whether each day [n], counted from 1970, lies in each span, float64[n, spans]."""
    date = np.asarray(day).astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    number = 100 * (month.astype(np.int64) % 12 + 1) + (date - month).astype(np.int64) + 1
    inside = []
    for span in spans:
        low, high = _ends(span)
        within = (number >= low) & (number <= high)
        inside.append(within if low <= high else (number >= low) | (number <= high))
    return np.array(inside, np.float64).reshape(len(spans), len(number)).T


def _ends(span: str) -> tuple[int, int]:
    """Return both ends of "MM-DD/MM-DD" as month x 100 + day."""
    try:
        ends = [np.datetime64(f"2000-{part}", "D").astype(object) for part in span.split("/")]
        low, high = (100 * end.month + end.day for end in ends)
    except (ValueError, AttributeError, TypeError) as fault:
        raise GeneratorError(
            "a holiday as 'MM-DD/MM-DD'", f"{span!r}", "write for example '12-18/01-01'"
        ) from fault
    return low, high
