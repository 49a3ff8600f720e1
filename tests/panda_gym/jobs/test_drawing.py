"""Claims about keyed draws: uniform, independent of order, in proportion to weights."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.jobs.drawing import hashed_uniform, name_key, weighted_pick

MASK = 2**64 - 1


def slow_uniform(key: int, stream: int) -> float:
    """SplitMix64's mixer on Python's whole numbers."""
    state = (key * 0xD1342543DE82EF95 + 0x9E3779B97F4A7C15 * (stream + 1)) & MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return ((state ^ (state >> 31)) >> 11) / 2**53


def test_the_draw_agrees_with_its_slow_twin() -> None:
    keys = np.array([0, 1, 2, 188_040, 2**31 - 1, 2**48 - 1])
    for stream in range(5):
        assert hashed_uniform(keys, stream).tolist() == [slow_uniform(int(k), stream) for k in keys]


def test_draws_are_uniform_and_streams_uncorrelated() -> None:
    keys = np.arange(50_000)
    draws = np.stack([hashed_uniform(keys, stream) for stream in range(4)])
    for draw in draws:
        counts = np.histogram(draw, bins=20, range=(0, 1))[0]
        assert np.abs(counts - 2500).max() < 250
    off = np.corrcoef(draws)[~np.eye(4, dtype=bool)]
    assert np.abs(off).max() < 0.02


def test_a_name_has_one_key() -> None:
    assert name_key("CERN") == name_key("CERN") != name_key("cern")
    assert 0 <= name_key("") < 2**48


def test_picks_follow_the_weights_and_never_take_a_zero() -> None:
    weight = np.array([0.0, 1.0, 3.0, 0.0])
    picked = weighted_pick(np.linspace(0, 1, 4001), weight)
    assert np.bincount(picked, minlength=4) / 4001 == pytest.approx([0, 0.25, 0.75, 0], abs=1e-3)
