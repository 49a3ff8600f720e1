"""Cycles, memory and batches have their closed forms, and batches are lost by independence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics import temporal
from metrics.tables import read

MONDAY = pd.Timestamp("2024-01-01").timestamp()


def test_hours_and_weekdays_are_those_of_the_calendar():
    stamps = pd.date_range("2024-01-01", periods=500, freq="7h13min")
    seconds = stamps.as_unit("s").astype("int64").to_numpy().astype(float)
    hours = np.bincount(stamps.hour, minlength=24) / 500
    days = np.bincount(stamps.day_of_week, minlength=7) / 500
    np.testing.assert_allclose(temporal.hour_of_day(seconds), hours)
    np.testing.assert_allclose(temporal.day_of_week(seconds), days)


def test_a_period_shows_in_the_autocorrelation_and_noise_does_not():
    daily = np.tile(np.r_[np.zeros(12), np.ones(12)], 60)
    found = temporal.autocorrelation(daily, 48)
    assert found[23] == pytest.approx(1 - 24 / len(daily))
    assert found[11] == pytest.approx(-(1 - 12 / len(daily)))
    noise = np.random.default_rng(0).poisson(5, 2000).astype(float)
    assert np.abs(temporal.autocorrelation(noise, 48)).max() < 0.1
    assert not temporal.autocorrelation(np.ones(10), 3).any()


def test_a_poisson_process_has_fano_factor_one_and_batches_of_k_have_k():
    rng = np.random.default_rng(1)
    start, stop = 0.0, 4000 * 3600.0
    single = rng.uniform(start, stop, 40_000)
    batches = np.repeat(rng.uniform(start, stop, 4000), 10)
    assert temporal.fano(temporal.hourly_counts(single, start, stop)) == pytest.approx(1, rel=0.1)
    assert temporal.fano(temporal.hourly_counts(batches, start, stop)) == pytest.approx(10, rel=0.1)


def test_batches_are_seen_and_dealing_times_anew_loses_them():
    rng = np.random.default_rng(2)
    task = np.repeat(np.arange(400), 10)
    times = np.repeat(MONDAY + np.sort(rng.uniform(0, 30 * 86400, 400)).round(), 10)
    levels = rng.choice(30, 400)[task]
    table = pd.DataFrame({"t": pd.to_datetime(times, unit="s"), "k": levels.astype(str)})
    dealt = table.assign(t=rng.permutation(table["t"].to_numpy()))
    tables = read({"real": table, "dealt": dealt})
    assert temporal.batch_coherence(tables["real"], "t", ["k"]) > 0.85
    # Ten rows still share each second, in order of their levels: chance and a little more.
    assert temporal.batch_coherence(tables["dealt"], "t", ["k"]) < 0.3
