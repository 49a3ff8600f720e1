"""One column there and back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from generators.encoding.codecs import CalendarCodec, CategoryCodec, EncodingConfig, NumberCodec

CONFIG = EncodingConfig()
HOUR = 3600


def no(n: int) -> np.ndarray:
    return np.zeros(n, bool)


def test_rare_levels_share_a_bucket_and_return_in_their_own_proportion() -> None:
    codes = np.repeat([0, 1, 2, 3], [500, 500, 8, 2])
    codec = CategoryCodec.fit(codes, no(len(codes)), 6, CONFIG)
    rng = np.random.default_rng(0)
    tokens, _ = codec.encode(codes, no(len(codes)), rng)
    assert codec.cards == (3,)
    assert set(tokens[codes >= 2, 0]) == {2}
    back, missing = codec.decode(np.full((10_000, 1), 2, np.int32), np.zeros(10_000), rng)
    assert not missing.any()
    assert np.mean(back == 2) == pytest.approx(0.8, abs=0.02)
    assert set(back) == {2, 3}


def test_an_unseen_level_counts_as_rare() -> None:
    codes = np.repeat([0, 1, 2], [500, 500, 2])
    codec = CategoryCodec.fit(codes, no(len(codes)), 6, CONFIG)
    tokens, _ = codec.encode(np.array([5]), no(1), np.random.default_rng(0))
    assert tokens[0, 0] == codec.cards[0] - 1


def test_atoms_and_missing_entries_are_tokens_and_the_rest_is_standard_normal() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(5000) < 0.3, 0.0, rng.lognormal(0, 2, 5000))
    missing = rng.random(5000) < 0.1
    codec = NumberCodec.fit(values, missing, CONFIG)
    tokens, number = codec.encode(values, missing, rng)
    assert codec.cards == (3,)
    assert np.array_equal(tokens[:, 0] == 2, missing)
    assert np.array_equal(tokens[:, 0] == 1, (values == 0) & ~missing)
    assert stats.kstest(number[tokens[:, 0] == 0], "norm").pvalue > 1e-3
    back, gone = codec.decode(tokens, number, rng)
    assert np.array_equal(gone, missing)
    assert np.allclose(back[~gone], values[~gone], rtol=1e-4)
    assert np.array_equal(back[~gone] == 0, values[~gone] == 0)


def test_bins_replace_the_number() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=4000)
    codec = NumberCodec.fit(values, no(4000), EncodingConfig(bins=16))
    tokens, number = codec.encode(values, no(4000), rng)
    assert codec.cards == (16,)
    assert not codec.gaussian
    assert not number.any()
    assert np.bincount(tokens[:, 0]) == pytest.approx(np.full(16, 250), abs=2)
    back, _ = codec.decode(tokens, number, rng)
    again, _ = codec.encode(back, no(4000), rng)
    assert np.mean(tokens == again) > 0.99


@pytest.mark.parametrize("days", [20, 900])
def test_a_calendar_returns_day_and_hour_exactly_and_seconds_in_distribution(days: int) -> None:
    rng = np.random.default_rng(0)
    values = (
        -3 * 24 * HOUR + rng.integers(0, days * 24, 20_000) * HOUR + rng.integers(0, 60, 20_000)
    )
    codec = CalendarCodec.fit(values, no(20_000), HOUR, CONFIG)
    assert codec is not None
    assert len(codec.cards) == (2 if days == 20 else 3)
    tokens, number = codec.encode(values, no(20_000), rng)
    assert np.all(tokens < np.array(codec.cards))
    back, _ = codec.decode(tokens, number, rng)
    assert np.array_equal(back // HOUR, values // HOUR)
    if days == 20:  # dozens of rows an hour, so that its own distribution is known
        assert np.mean(back % HOUR < 60) > 0.97


def test_an_hour_without_rows_gives_a_time_within_it() -> None:
    values = np.concatenate([np.arange(100), 5 * 24 * HOUR + np.arange(100)])
    codec = CalendarCodec.fit(values, no(200), HOUR, CONFIG)
    assert codec is not None
    back, _ = codec.decode(
        np.array([[0, 7]], np.int32), np.zeros(1, np.float32), np.random.default_rng(0)
    )
    assert back[0] // HOUR == 7


@pytest.mark.parametrize("values", [np.arange(5), np.arange(4000), np.arange(400) * 10**9])
def test_no_calendar_for_few_values_a_short_span_or_an_age(values: np.ndarray) -> None:
    assert CalendarCodec.fit(values, no(len(values)), HOUR, CONFIG) is None
