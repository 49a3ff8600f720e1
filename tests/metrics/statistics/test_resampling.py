"""Intervals cover what they claim, and equal closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.statistics import resampling
from tests.oracles import metrics_twins as twins


def test_auc_equals_the_share_of_ordered_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 40).astype(float), rng.integers(2, 11, 55).astype(float)
    value, error = resampling.auc(a, b)
    assert value == pytest.approx(twins.area_under_curve(list(a), list(b)))
    spread = [resampling.auc(rng.choice(a, len(a)), rng.choice(b, len(b)))[0] for _ in range(400)]
    assert error == pytest.approx(np.std(spread), rel=0.2)


def test_wilson_and_newcombe_equal_published_values():
    # Newcombe 1998 (two papers): 81/263, and 56/70 against 48/80, 95 % intervals.
    assert resampling.wilson(81, 263, 0.05) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    upper = resampling.newcombe_upper(56, 70, 48, 80, 0.025)
    lower = -resampling.newcombe_upper(48, 80, 56, 70, 0.025)
    assert (lower, upper) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_bootstrap_intervals_cover_a_mean_about_as_often_as_they_say():
    hits = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        x = rng.exponential(size=200)
        value, draws = resampling.replicate(
            lambda w, x=x: np.array([w @ x / w.sum()]), len(x), 40, rng
        )
        low, high = resampling.centred(value[0], draws[:, 0], 0.05)
        hits += low <= 1.0 <= high
    assert 0.87 <= hits / 120 <= 1.0


def test_a_pair_of_statistics_is_drawn_by_one_weight_a_row():
    def total(w):
        return np.array([w.sum(), w[0]])

    pair = resampling.replicate_both((total, total), (3, 5), 8, np.random.default_rng(4))
    slow = list(resampling.poisson_weights(8, 8, np.random.default_rng(4)))
    for (value, draws), part in zip(pair, (slice(0, 3), slice(3, 8)), strict=True):
        assert value.tolist() == [part.stop - part.start, 1.0]
        expected = [total(w[part] if w[part].any() else np.ones_like(w[part])) for w in slow]
        np.testing.assert_array_equal(draws, expected)


def test_replicates_of_equal_tables_in_equal_blocks_do_not_differ():
    x, blocks = np.arange(6.0), np.tile([0, 0, 1, 1, 2, 2], 2)

    def mean(w):
        return np.array([w @ x / w.sum()])

    (_, a), (_, b) = resampling.replicate_both(
        (mean, mean), (6, 6), 30, np.random.default_rng(0), blocks
    )
    assert a.std() > 0
    assert resampling.upper_of_pairs(0.25, a[:, 0], b[:, 0], 0.05) == 0.25


def test_weights_are_seeded_and_never_all_zero():
    draws = [list(resampling.poisson_weights(1, 20, np.random.default_rng(3))) for _ in range(2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert np.min(draws[0]) >= 0
    assert np.sum(draws[0], axis=1).min() > 0
