"""Interquartile means and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from panda_gym.benchmarking.intervals import Interval, bootstrap, detectable, iqm, mean


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


def test_the_smallest_detectable_difference_is_that_of_the_paired_t_test() -> None:
    values = stats.zscore(np.random.default_rng(3).normal(size=10), ddof=1)
    # ten pairs of deviation 1, two-sided 5 %, power .8: .996 (Cohen 1988; G*Power 3.1)
    found = [detectable([values], statistic=mean, seed=seed) for seed in range(5)]
    assert np.mean(found) == pytest.approx(0.996, rel=0.02)
    assert detectable([100.0 * values], statistic=mean) == pytest.approx(100.0 * found[0])
    assert detectable([values[:1], values[1:2]]) == np.inf


def test_a_difference_of_that_size_is_found_four_times_in_five() -> None:
    rng, n, tries = np.random.default_rng(5), 12, 600
    unit = stats.zscore(rng.normal(size=n), ddof=1)
    least = np.mean([detectable([unit], statistic=mean, seed=seed) for seed in range(5)])
    p = [stats.ttest_1samp(rng.normal(least, 1.0, n), 0.0).pvalue for _ in range(tries)]
    # a binomial of 600 tries at .8 has a standard deviation of .016
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.8, abs=0.05)


def test_more_runs_detect_smaller_differences() -> None:
    rng = np.random.default_rng(4)
    few, many = (np.mean([detectable([rng.normal(size=n)]) for _ in range(20)]) for n in (10, 160))
    assert many < few / 3.0
