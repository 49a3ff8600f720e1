"""The stream goes on without end and keeps weekday and time of day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import SeedError, SurrogateError
from panda_gym.surrogate.weeks import IndependentWeeks

START = np.datetime64("2024-05-31T12:00:00", "s")  # a Friday


def draw(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    times = np.datetime64("2024-01-01", "s") + rng.integers(0, 150 * 86400, n)
    return pd.DataFrame({"creationtime": times, "x": np.arange(n), "drawn": times})


def weeks(seed: int = 0, rows: int = 500, make: Callable = draw) -> IndependentWeeks:
    return IndependentWeeks(make, start=START, rows_per_week=rows, seed=seed)


def test_weekday_and_time_of_day_are_those_that_were_drawn() -> None:
    table = next(weeks())
    for part in ("day_of_week", "hour", "minute", "second"):
        moved, drawn = table["creationtime"].dt, table["drawn"].dt
        assert (getattr(moved, part) == getattr(drawn, part)).all()


def test_weeks_follow_each_other_in_order_without_a_gap() -> None:
    stream = weeks()
    tables = [next(stream) for _ in range(3)]
    times = pd.concat(tables)["creationtime"]
    assert times.is_monotonic_increasing
    monday = np.datetime64("2024-06-03", "s")
    for number, table in enumerate(tables):
        low = monday + number * np.timedelta64(7, "D")
        assert table["creationtime"].min() >= low
        assert table["creationtime"].max() < low + np.timedelta64(7, "D")


def test_a_week_does_not_depend_on_those_before_it() -> None:
    stream = weeks()
    third = [next(stream) for _ in range(3)][2]
    pd.testing.assert_frame_equal(third, weeks().week(2))


def test_same_seed_same_stream_other_seed_other_stream() -> None:
    pd.testing.assert_frame_equal(next(weeks(1)), next(weeks(1)))
    assert not next(weeks(1)).equals(next(weeks(2)))


def test_every_row_that_was_drawn_is_in_the_week() -> None:
    assert sorted(next(weeks(rows=37))["x"]) == list(range(37))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(SurrogateError, match="at least 1 row"):
        weeks(rows=0)
    with pytest.raises(SeedError):
        weeks(seed=-1)
