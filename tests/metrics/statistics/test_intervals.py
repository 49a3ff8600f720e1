"""Intervals from draws and of means: known values, single values, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from metrics.statistics.intervals import Interval, from_draws, mean_interval, percentiles


def test_percentiles_of_a_grid_are_its_quantiles() -> None:
    draws = np.column_stack([np.arange(1001.0), 2.0 * np.arange(1001.0)])
    low, high = percentiles(draws, 0.9)
    assert low == pytest.approx([50.0, 100.0])
    assert high == pytest.approx([950.0, 1900.0])


def test_an_interval_keeps_its_value_and_its_count() -> None:
    found = from_draws(3.0, np.linspace(0.0, 1.0, 101), 0.5, 7)
    assert found == Interval(3.0, pytest.approx(0.25), pytest.approx(0.75), 7)


def test_the_interval_of_a_mean_is_students_t() -> None:
    values = np.array([1.0, 4.0, 2.0, 8.0, np.nan])
    kept = values[:4]
    low, high = stats.t.interval(0.95, 3, kept.mean(), stats.sem(kept))
    found = mean_interval(values)
    assert (found.value, found.n) == (kept.mean(), 4)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_one_value_has_no_width_and_none_is_nan() -> None:
    assert mean_interval(np.array([2.5])) == Interval(2.5, 2.5, 2.5, 1)
    assert math.isnan(mean_interval(np.array([np.nan])).low)


def test_an_interval_of_a_mean_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [mean_interval(rng.normal(1.0, 2.0, 8), 0.8) for _ in range(1000)]
    assert np.mean([not one.excludes(1.0) for one in found]) == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(("other", "apart"), [((2.0, 3.0), False), ((2.1, 3.0), True)])
def test_intervals_are_apart_where_they_do_not_meet(
    other: tuple[float, float], apart: bool
) -> None:
    mine, theirs = Interval(1.5, 1.0, 2.0, 3), Interval(2.5, *other, 3)
    assert mine.apart(theirs) == theirs.apart(mine) == apart
