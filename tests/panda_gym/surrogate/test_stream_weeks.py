"""A surrogate that keeps time: weeks of its own stream, batches and all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd
import pytest

import generators
import panda_gym
from panda_gym.errors import SurrogateError
from panda_gym.jobs import JobStream
from panda_gym.records import split_by_groups
from panda_gym.surrogate import StreamWeeks, Surrogate, digest
from panda_gym.surrogate.workload_model import WorkloadConfig, WorkloadModel

DAY = pd.Timedelta(days=1)


def stream(size: int) -> Iterator[pd.DataFrame]:
    """A row every eight hours from Thursday, 1 January 1970, but for the second week."""
    times = pd.Timestamp(0) + pd.to_timedelta(np.arange(300) * 8, "h")
    times = times[(times < "1970-01-12") | (times >= "1970-01-19")]
    table = pd.DataFrame({"creationtime": times.astype("datetime64[s]"), "x": range(len(times))})
    return (table.iloc[i : i + size] for i in range(0, len(table), size))


@pytest.mark.parametrize("size", [1, 5, 200])
def test_weeks_begin_on_monday_and_join_without_a_seam(size: int) -> None:
    weeks = list(islice(StreamWeeks(lambda: stream(size), start=np.datetime64("1970-01-02")), 4))
    assert [len(week) for week in weeks] == [21, 0, 21, 21]
    assert weeks[0]["x"].iloc[0] == 12
    assert all((week["creationtime"].dt.day_of_week[:3] == 0).all() for week in weeks if len(week))
    x = pd.concat(weeks)["x"].to_numpy()
    np.testing.assert_array_equal(x, np.arange(12, 12 + 63))


def test_a_week_is_the_same_whenever_it_is_asked_for() -> None:
    weeks = StreamWeeks(lambda: stream(7))
    third = weeks.week(2)
    first = weeks.week(0)
    assert first["x"].iloc[0] == 0
    assert first["creationtime"].iloc[-1] < pd.Timestamp("1970-01-05")
    pd.testing.assert_frame_equal(weeks.week(2), third)


def test_groups_are_split_whole() -> None:
    table = pd.DataFrame({"task": np.repeat(np.arange(200), 5), "x": np.arange(1000)})
    train, test = split_by_groups(table, "task", seed=1)
    assert not set(train["task"]) & set(test["task"])
    assert len(train) + len(test) == 1000
    assert len(train) == pytest.approx(800, abs=5)
    assert not train.equals(split_by_groups(table, "task", seed=2)[0])
    with pytest.raises(panda_gym.errors.RecordsError, match="two groups"):
        split_by_groups(table.assign(task=1), "task")


HEAD = 150
"""Rows sealed of the first week, which has more."""


@pytest.fixture(scope="module")
def timed(sealed: Surrogate, tmp_path_factory: pytest.TempPathFactory) -> Surrogate:
    """A surrogate of tasks, sealed with a certificate of the same weights."""
    records = panda_gym.reference_records(4_000, seed=3, keep=["jeditaskid"])
    model = generators.create("grouped", group="jeditaskid", base="smote").fit(records)
    folder = tmp_path_factory.mktemp("timed")
    model.save(folder / "generator")
    certificate = sealed.certificate
    document = {
        **certificate.document,
        "sha256": {**certificate.document["sha256"], "weights": digest(folder / "generator")},
    }
    return Surrogate.create(
        folder / "sealed",
        name="timed",
        generator=model,
        generator_name="grouped",
        workload_model=WorkloadModel.fit(
            records[:300], config=WorkloadConfig(iterations=3, depth=2)
        ),
        certificate=dataclasses.replace(certificate, document=document),
        origin=sealed.origin,
        first_week_rows=HEAD,
        start=records["creationtime"].max().to_datetime64(),
    )


def test_a_stream_of_tasks_keeps_times_and_batches(timed: Surrogate) -> None:
    assert timed.keeps_time
    week = timed.stream(1).week(0)
    assert week["creationtime"].is_monotonic_increasing
    assert week["creationtime"].iloc[0] >= pd.Timestamp("2023-02-27")
    assert week["jeditaskid"].nunique() < len(week) / 3
    jobs = JobStream.from_surrogate(timed, 200)  # more than the head has
    assert (np.diff(jobs.arrival_s) == 0).mean() > 0.3
    assert len(np.unique(jobs.dataset)) < 100


def test_the_head_is_the_beginning_of_a_week_that_is_too_large(timed: Surrogate) -> None:
    first = timed.stream(0).week(0)
    assert len(first) > HEAD == len(timed.first_week())
    pd.testing.assert_frame_equal(timed.first_week(), first.iloc[:HEAD])
    assert timed.redraw() == 1.0
    assert [len(JobStream.from_surrogate(timed, seed=seed)) for seed in (0, 1)] == [HEAD, HEAD]


def test_a_replay_shows_the_records_own_weeks(timed: Surrogate) -> None:
    week = timed.stream(1, replay=True).week(1)
    assert pd.Timestamp("2022-10-01") < week["creationtime"].iloc[0] < pd.Timestamp("2022-10-20")


def test_what_a_surrogate_cannot_do_is_refused(timed: Surrogate, sealed: Surrogate) -> None:
    with pytest.raises(SurrogateError, match="density"):
        timed.stream(0, rows_per_week=100)
    with pytest.raises(SurrogateError, match="replay"):
        sealed.stream(0, replay=True)
