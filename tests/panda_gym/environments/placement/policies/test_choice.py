"""Choices among sites: legality, frequencies, ties."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.environments.placement.policies.choice import (
    greedy,
    greedy_probabilities,
    sample,
    sample_among_best,
    sample_among_best_probabilities,
    sample_probabilities,
)

MANY = 40_000


def shares(sites: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(sites, minlength=count) / len(sites)


def test_best_breaks_ties_evenly_among_the_legal() -> None:
    score = np.tile([1.0, 3.0, 3.0, 3.0, np.nan], (MANY, 1))
    mask = np.tile([True, True, False, True, True], (MANY, 1))
    got = shares(greedy(score, mask, np.random.default_rng(0)), 5)
    np.testing.assert_allclose(got, [0, 0.5, 0, 0.5, 0], atol=0.015)


def test_draw_follows_the_weights() -> None:
    weight = np.tile([1.0, 2.0, 0.0, 5.0, 9.0], (MANY, 1))
    mask = np.tile([True, True, True, True, False], (MANY, 1))
    got = shares(sample(weight, mask, np.random.default_rng(1)), 5)
    np.testing.assert_allclose(got, [0.125, 0.25, 0, 0.625, 0], atol=0.015)


def test_draw_of_no_weight_is_uniform_over_the_legal() -> None:
    mask = np.tile([True, False, True], (MANY, 1))
    got = shares(sample(np.zeros((MANY, 3)), mask, np.random.default_rng(2)), 3)
    np.testing.assert_allclose(got, [0.5, 0, 0.5], atol=0.015)


def test_draw_among_best_keeps_the_ten_and_weighs_them() -> None:
    weight = np.tile(np.arange(1.0, 16.0), (MANY, 1))
    mask = np.ones((MANY, 15), dtype=bool)
    got = shares(sample_among_best(weight, mask, np.random.default_rng(3)), 15)
    expected = np.where(np.arange(15) >= 5, np.arange(1.0, 16.0), 0.0)
    np.testing.assert_allclose(got, expected / expected.sum(), atol=0.015)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.floats(0.05, 1.0))
def test_every_choice_is_legal(seed: int, sites: int, legal: float) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((7, sites)) < legal
    mask[:, rng.integers(sites)] = True
    number = rng.choice([0.0, 1.0, 1e-300, 1e300], (7, sites))
    for choose in (greedy, sample, sample_among_best):
        assert mask[np.arange(7), choose(number, mask, rng)].all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.floats(0.1, 1.0))
def test_every_law_is_what_its_choice_follows(seed: int, sites: int, legal: float) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((1, sites)) < legal
    mask[:, rng.integers(sites)] = True
    number = rng.choice([0.0, 1.0, 2.0, 3.0], (1, sites))
    pairs = (
        (greedy, greedy_probabilities),
        (sample, sample_probabilities),
        (sample_among_best, sample_among_best_probabilities),
    )
    for choose, probabilities in pairs:
        expected = probabilities(number, mask)[0]
        tiled = np.tile(number, (MANY, 1)), np.tile(mask, (MANY, 1))
        got = shares(choose(*tiled, np.random.default_rng(seed)), sites)
        np.testing.assert_allclose(got, expected, atol=0.02)
