"""The randomised probability-integral transform and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from generators.encoding.quantiles import Quantiles

RNG = np.random.default_rng(0)


def naive_cdf(values: np.ndarray, x: float) -> tuple[float, float]:
    """Return the interval that x owns in the distribution function: the slow, obvious twin."""
    return float(np.mean(values < x)), float(np.mean(values <= x))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_a_tie_is_spread_over_its_own_interval_and_returns_exactly(values: list[int]) -> None:
    x = np.array(values, np.int64)
    line = Quantiles.fit(x)
    u = line.cdf(x, np.random.default_rng(1))
    for value, level in zip(x, u, strict=True):
        low, high = naive_cdf(x, value)
        assert low <= level <= high
    assert np.array_equal(line.inverse(u), x)


def test_the_transform_of_any_column_is_uniform() -> None:
    x = np.concatenate([np.zeros(3000), RNG.integers(0, 9, 3000), RNG.lognormal(0, 3, 4000)])
    u = Quantiles.fit(x).cdf(x, RNG)
    assert stats.kstest(u, "uniform").pvalue > 1e-3


def test_values_seen_once_are_interpolated_not_copied() -> None:
    x = RNG.lognormal(0, 2, 2000)
    drawn = Quantiles.fit(x).inverse(RNG.random(20_000))
    assert np.isin(drawn, x).mean() < 0.01
    assert stats.ks_2samp(drawn, x).pvalue > 1e-3
    assert drawn.min() >= x.min()
    assert drawn.max() <= x.max()


def test_thinned_knots_move_no_quantile_by_more_than_promised() -> None:
    x = np.concatenate([RNG.lognormal(20, 3, 50_000), np.full(5_000, 7.0)])
    line = Quantiles.fit(x, max_knots=500)
    assert len(line.p) <= 500
    p = np.linspace(0.001, 0.999, 500)
    reached = np.searchsorted(np.sort(x), line.inverse(p), "right") / len(x)
    below = np.searchsorted(np.sort(x), line.inverse(p), "left") / len(x)
    assert np.all((reached > p - 2 / 500) & (below < p + 2 / 500))
    assert np.mean(line.inverse(RNG.random(20_000)) == 7.0) == pytest.approx(1 / 11, abs=0.01)


def test_the_whole_range_of_64_bit_integers_does_not_overflow() -> None:
    ends = np.array([-(2**63), 2**63 - 1], np.int64)
    drawn = Quantiles.fit(ends).inverse(np.array([0.0, 0.25, 0.5, 0.75, 1.0]))
    assert list(drawn[[0, 1, 3, 4]]) == [ends[0], ends[0], ends[1], ends[1]]
    assert abs(int(drawn[2])) < 2**40


def test_decimal_places_return() -> None:
    x = np.round(RNG.normal(50, 20, 3000), 1)
    drawn = Quantiles.fit(x).inverse(RNG.random(3000))
    assert np.array_equal(np.round(drawn, 1), drawn)


def test_arrays_restore_the_same_function() -> None:
    line = Quantiles.fit(np.round(RNG.normal(size=300), 2))
    again = Quantiles.restore(line.arrays())
    u = RNG.random(100)
    assert again.decimals == 2
    assert np.array_equal(again.inverse(u), line.inverse(u))
