"""Interquartile means and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.benchmarking.intervals import Interval, bootstrap, iqm


def naive_iqm(values: list[float]) -> float:
    """Mean of what is left when the lowest and the highest quarter are struck out."""
    cut = len(values) // 4
    kept = sorted(values)[cut : len(values) - cut]
    return sum(kept) / len(kept)


@pytest.mark.parametrize("n", [1, 3, 4, 10, 17])
def test_iqm_is_the_mean_of_the_middle_half(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    assert iqm(values, axis=0) == pytest.approx(naive_iqm(values.tolist()))


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng, level, tries = np.random.default_rng(0), 0.9, 300
    covered = 0
    for attempt in range(tries):
        strata = [rng.normal(0.0, 1.0, 20), rng.normal(0.0, 1.0, 20)]
        at = bootstrap(strata, level=level, seed=attempt, repeats=300)
        covered += at.low <= 0.0 <= at.high
    # a binomial of 300 tries at .9 has a standard deviation of .017; small samples cover less
    assert 0.83 <= covered / tries <= 0.96


def test_the_interval_narrows_with_the_root_of_the_runs() -> None:
    rng = np.random.default_rng(1)
    widths = [
        np.mean([np.diff(_ends(bootstrap([rng.normal(size=n)], seed=k))) for k in range(20)])
        for n in (10, 160)
    ]
    assert 2.5 < widths[0] / widths[1] < 6.0


def test_strata_are_drawn_among_themselves() -> None:
    at = bootstrap([np.zeros(10), np.full(10, 100.0)])
    assert (at.low, at.value, at.high) == (50.0, 50.0, 50.0)


def test_same_seed_same_interval() -> None:
    values = np.random.default_rng(2).normal(size=10)
    assert bootstrap([values], seed=5) == bootstrap([values], seed=5)
    assert bootstrap([values], seed=5) != bootstrap([values], seed=6)


def test_one_run_has_no_width() -> None:
    assert bootstrap([np.array([3.0])]) == Interval(3.0, 3.0, 3.0, 1)


def test_apart_means_no_overlap() -> None:
    a, b = Interval(1, 0, 2, 9), Interval(3, 2.5, 4, 9)
    assert a.apart(b)
    assert b.apart(a)
    assert not a.apart(Interval(3, 2, 4, 9))


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high
