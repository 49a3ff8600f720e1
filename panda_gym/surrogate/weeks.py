"""A stream of synthetic records without end, week after week; knows tables, never sites.

A row-independent generator draws each row's creation time anew, so its rows fill the whole
training window thinly. A week of the stream is `rows_per_week` rows, each moved to that week with
its weekday and time of day kept: the weekly and daily cycle survive at any rate, the season does
not. Weeks follow each other without a gap and depend on (seed, week number) alone, so that any
week can be drawn without those before it.
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


class Weeks(Iterator["pd.DataFrame"]):
    """Endless iterator over tables of one week each, sorted by creation time."""

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
        # The first Monday not before `start`: the stream goes on where the records end.
        self._monday = MONDAY - (MONDAY - start.astype("datetime64[s]")) // WEEK * WEEK
        self._number = 0

    def week(self, number: int) -> pd.DataFrame:
        """The table of week `number` (0, 1, ...), the same whenever it is asked for."""
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
