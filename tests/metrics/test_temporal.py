"""Cycles, memory and batches have their closed forms, and batches are lost by independence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import metrics
from metrics import temporal
from metrics.errors import MetricError
from metrics.tables.samples import read
from metrics.temporal.batches import Batches, BatchSums, shared_categories
from metrics.temporal.figures import frame_of, streams
from metrics.temporal.scores import thinned
from metrics.temporal.stream import Steps, Stream

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


def tasks(n_tasks: int, size: int, seed: int) -> pd.DataFrame:
    """Tasks of equal size within two seconds; their rows share a kind and most of a value."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), size)
    start = MONDAY + np.sort(rng.uniform(0, 28 * 86400, n_tasks)).round()
    level = rng.normal(size=n_tasks)[task] + 0.5 * rng.normal(size=len(task))
    return pd.DataFrame({
        "t": pd.to_datetime(start[task] + rng.integers(0, 2, len(task)), unit="s"),
        "kind": rng.choice(30, n_tasks)[task].astype(str),
        "other": rng.choice(5, len(task)).astype(str),
        "x": np.exp(level),
        "task": task,
    })  # fmt: skip


def test_hours_of_the_week_and_days_are_those_of_the_calendar():
    stamps = pd.date_range("2024-01-03", periods=700, freq="5h7min")
    seconds = stamps.as_unit("s").astype("int64").to_numpy().astype(float)
    week = np.bincount(stamps.day_of_week * 24 + stamps.hour, minlength=168) / 700
    np.testing.assert_allclose(temporal.hour_of_week(seconds), week)
    days = stamps.floor("D").value_counts().sort_index().to_numpy()
    np.testing.assert_allclose(temporal.daily_counts(seconds, seconds[0], seconds[-1]), days)


def test_batches_are_found_without_a_group_and_are_the_tasks_with_one():
    table = tasks(60, 12, 0)
    found = read({"a": table.drop(columns="task")})["a"]
    assert shared_categories(found, "t") == ("kind",)
    batches = Batches.of(found, "t", ("kind",))
    assert len(batches.sizes) == pytest.approx(60, abs=3)
    named = Batches.of(read({"a": table}, group="task")["a"], "t", ())
    np.testing.assert_array_equal(named.sizes, np.full(60, 12))
    assert batches.starts.min() == named.starts.min() == found.number("t").min()


def test_the_share_explained_equals_its_twin_and_is_that_of_the_model():
    table = tasks(400, 10, 1)
    x, labels = np.log(table["x"].to_numpy()), table["task"].to_numpy()
    assert temporal.explained(x, labels) == pytest.approx(1 / 1.25, abs=0.05)
    uneven = np.minimum(labels, 390)  # one large batch, the others of ten
    grand, n, groups = x.mean(), len(x), np.unique(uneven)
    own = [x[uneven == g] for g in groups]
    between = sum(len(v) * (v.mean() - grand) ** 2 for v in own) / (len(own) - 1)
    within = sum(((v - v.mean()) ** 2).sum() for v in own) / (n - len(own))
    size = (n - sum(len(v) ** 2 for v in own) / n) / (len(own) - 1)
    apart = (between - within) / size
    assert temporal.explained(x, uneven) == pytest.approx(apart / (apart + within))
    assert temporal.explained(x, np.arange(len(x))) == 0
    assert temporal.explained(x, np.zeros(len(x), int)) == 0


def test_days_counted_twice_are_days_that_came_twice():
    table = tasks(50, 4, 2).drop(columns="task")
    sample = read({"a": table})["a"]
    stream = Stream(sample, frame_of(sample, "t", ("kind",)))
    weights = np.random.default_rng(0).integers(0, 3, stream.days).astype(float)
    blocks = [stream.hours[24 * d : 24 * d + 24] for d in range(stream.days)]
    hours = np.concatenate([h for h, w in zip(blocks, weights, strict=True) for _ in range(int(w))])
    assert stream.counts().fano(weights)[0] == pytest.approx(temporal.fano(hours))
    even = np.ones(stream.days)
    assert stream.counts().fano(even)[0] == pytest.approx(temporal.fano(stream.hours))
    slow = temporal.autocorrelation(stream.hours, 30)
    np.testing.assert_allclose(stream.autocorrelation(30, even), slow, atol=1e-12)
    sums = BatchSums.of(np.arange(9.0), np.arange(9) // 3, 3)
    twice = BatchSums.of(
        np.tile(np.arange(9.0), 2), np.r_[np.arange(9) // 3, 3 + np.arange(9) // 3], 6
    )
    assert sums.explained(np.full(3, 2.0)) == pytest.approx(twice.explained(np.ones(6)))


def test_the_ks_distance_equals_scipys_and_heeds_weights():
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(3)
    for _ in range(20):
        a, b = (rng.integers(0, 9, rng.integers(3, 60)).astype(float) for _ in "ab")
        weights = rng.integers(0, 3, len(a)).astype(float)
        weights[0] = 1
        repeated = np.repeat(a, weights.astype(int))
        assert Steps(a, b).distance(np.ones(len(a))) == pytest.approx(ks_2samp(a, b).statistic)
        assert Steps(a, b).distance(weights) == pytest.approx(ks_2samp(repeated, b).statistic)
    assert Steps(a, b).distance(np.zeros(len(a))) == 1


@pytest.mark.parametrize("group", ["task", None])
def test_figures_are_zero_for_equal_tables_and_show_what_independent_rows_lose(group):
    table, other = tasks(500, 12, 4), tasks(500, 12, 5)
    if group is None:
        table, other = table.drop(columns="task"), other.drop(columns="task")
    same = metrics.temporal.time_figures(table, table, time="t", group=group)
    assert max(same.values()) == pytest.approx(0, abs=1e-12)
    fresh = metrics.temporal.time_figures(other, table, time="t", group=group)
    sample = read({"a": table}, group)["a"]
    alone = temporal.independent(sample, "t", np.random.default_rng(0))
    dealt = pd.DataFrame({
        "t": pd.to_datetime(alone.number("t"), unit="s"),
        "kind": np.array(sample.schema.levels["kind"])[alone.category("kind")],
        "other": np.array(sample.schema.levels["other"])[alone.category("other")],
        "x": alone.number("x"),
    })  # fmt: skip
    if group is not None:
        dealt["task"] = np.arange(len(dealt))
    lost = metrics.temporal.time_figures(dealt, table, time="t", group=group)
    for id in ("fano", "fano_by.kind", "interarrival_ks", "batch_size_ks", "batch_share.x"):
        assert lost[id] > 0.3 > fresh[id], id
    assert {"autocorrelation_1", "autocorrelation_24", "hour_of_week", "daily"} <= set(fresh)


def test_streams_are_looked_at_in_the_frame_of_the_reference():
    table = tasks(40, 5, 6).drop(columns="task")
    later = table.assign(t=table["t"] + pd.Timedelta(days=400), kind="novel")
    tables = read({"reference": table, "table": later})
    rows = [tables["table"], tables["reference"]]
    mine, real = streams(rows, rows[1], "t")
    assert mine.days == real.days
    assert mine.hours[-1] == len(table)  # all after the window: the last hour
    assert np.isfinite(list(metrics.temporal.time_figures(later, table, time="t").values())).all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t.iloc[:10], "at least 20 rows"),
        (lambda t: t.assign(t=pd.Timestamp("2024-01-01")), "two hours"),
        (lambda t: t.drop(columns="t"), "time column"),
    ],
)
def test_a_time_that_says_nothing_is_one_clear_error(change, word):
    table = change(tasks(20, 4, 7))
    with pytest.raises(MetricError, match=word):
        metrics.temporal.time_figures(table, table, time="t")


def test_thinning_keeps_groups_whole() -> None:
    table = pd.DataFrame({"x": np.arange(1000.0), "task": np.repeat(np.arange(50), 20)})
    sample = read({"t": table}, "task")["t"]
    part = thinned(sample, 330, np.random.default_rng(0))
    assert len(part) == 320
    assert (np.bincount(np.unique(part.groups, return_inverse=True)[1]) == 20).all()
    assert thinned(sample, 5000, np.random.default_rng(0)) is sample
