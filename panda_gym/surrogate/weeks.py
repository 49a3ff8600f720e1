"""An endless stream of synthetic records as one table a week.

- `StreamWeeks`: for a generator that draws a stream of its own, with times. The stream is cut at
  Monday, 00:00 UTC; no time is changed.
- `IndependentWeeks`: for a generator whose rows are independent, so that their creation times
  spread over the whole training window. A week is `rows_per_week` rows, each moved to that week
  with its weekday and time of day kept. The weekly and daily cycles survive at any rate; the
  season does not. A week depends on (seed, week number) alone, so that it can be drawn without
  those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.errors import SurrogateError, check_seed

if TYPE_CHECKING:
    import pandas as pd

WEEK = np.timedelta64(7, "D")
# 1970-01-05 is a Monday: weeks start on Mondays.
MONDAY = np.datetime64("1970-01-05", "s")


def first_monday(start: np.datetime64) -> np.datetime64:
    """Return the first Monday, 00:00 UTC, that is not before `start`."""
    return np.datetime64(MONDAY - (MONDAY - start.astype("datetime64[s]")) // WEEK * WEEK)


class IndependentWeeks(Iterator["pd.DataFrame"]):
    """Endless iterator over weeks of independent rows, each a table sorted by creation time."""

    def __init__(
        self,
        draw: Callable[[int, int], pd.DataFrame],
        *,
        start: np.datetime64,
        rows_per_week: int,
        seed: int = 0,
        time: str = "creationtime",
    ) -> None:
        if rows_per_week < 1:
            raise SurrogateError("at least 1 row a week", f"{rows_per_week}", "raise rows_per_week")
        self._draw, self._rows, self._time = draw, int(rows_per_week), time
        self._seed = check_seed(seed)
        self._monday = first_monday(start)
        self._number = 0

    def week(self, number: int) -> pd.DataFrame:
        """Return the table of week `number` (0, 1, ...); the same number gives the same table."""
        child = np.random.SeedSequence([self._seed, number]).generate_state(1)[0]
        table = self._draw(self._rows, int(child))
        times = table[self._time].to_numpy().astype("datetime64[s]")
        moved = self._monday + number * WEEK + (times - MONDAY) % WEEK
        order = np.argsort(moved, kind="stable")
        return table.assign(**{self._time: moved}).iloc[order].reset_index(drop=True)

    def __next__(self) -> pd.DataFrame:
        table = self.week(self._number)
        self._number += 1
        return table


class StreamWeeks(Iterator["pd.DataFrame"]):
    """Endless iterator over the weeks of a generator's own stream, with as many rows as each has.

    A week without rows is an empty table. Weeks are drawn in order; an earlier one is reached by
    drawing the stream again from its beginning.
    """

    def __init__(
        self,
        begin: Callable[[], Iterator[pd.DataFrame]],
        *,
        start: np.datetime64 | None = None,
        time: str = "creationtime",
    ) -> None:
        """Read streams that `begin` opens, sorted by `time`.

        The first week is that of the first Monday not before `start`; None: that of the first row.
        """
        self._begin, self._time, self._start = begin, time, start
        self._restart()

    def _restart(self) -> None:
        self._parts, self._number = self._begin(), 0
        self._left = next(self._parts)
        first = self._left[self._time].iloc[0].to_datetime64().astype("datetime64[s]")
        begin = first - WEEK + np.timedelta64(1, "s") if self._start is None else self._start
        self._monday = first_monday(begin)
        self._until(self._monday)

    def _until(self, end: np.datetime64) -> pd.DataFrame:
        """The rows before `end` that were not read yet."""
        import pandas as pd

        parts = [self._left]
        while not len(parts[-1]) or parts[-1][self._time].iloc[-1] < end:
            parts.append(next(self._parts))
        table = pd.concat([part for part in parts if len(part)], ignore_index=True)
        cut = int(table[self._time].searchsorted(end))
        self._left = table.iloc[cut:]
        return table.iloc[:cut]

    def week(self, number: int) -> pd.DataFrame:
        """Return the table of week `number` (0, 1, ...); the same number gives the same table."""
        if number < self._number:
            self._restart()
        while self._number < number:
            next(self)
        return next(self)

    def __next__(self) -> pd.DataFrame:
        self._number += 1
        return self._until(self._monday + self._number * WEEK)
