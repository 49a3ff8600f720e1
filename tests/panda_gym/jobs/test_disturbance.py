"""Disturbances: every episode meets its anomaly, and its ordinary jobs stay as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import panda_gym
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream, episode
from panda_gym.jobs.anomalies import ANOMALIES
from panda_gym.jobs.disturbance import TIMES, Disturbance
from panda_gym.sites import load_platform


@pytest.fixture(scope="module")
def stream() -> JobStream:
    return JobStream.from_records(panda_gym.reference_records(20_000, seed=2, keep=["jeditaskid"]))


def test_every_anomaly_can_happen_in_an_episode() -> None:
    assert TIMES.keys() == ANOMALIES.keys()


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_jobs_before_it_stay_and_it_happens(name: str, seed: int, stream: JobStream) -> None:
    platform = load_platform("atlas150", scale=0.02)
    plain = episode(stream, platform, jobs=3000, seed=seed)
    met = episode(stream, platform, jobs=3000, seed=seed, anomaly=Disturbance(name))
    begin = 0.29 * plain.arrival_s[-1]
    before = [e.arrival_s < begin for e in (plain, met)]
    for field in ("arrival_s", "workload_true", "dataset", "source"):
        a, b = (getattr(e, field)[rows] for e, rows in zip((plain, met), before, strict=True))
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(plain.arrival_s, met.arrival_s)
    assert len(met) == len(plain) == len(met.hazard)
    assert ((met.hazard == 1.0).any()) == (name == "broken_release")


def test_a_rush_comes_on_top_of_the_load(stream: JobStream) -> None:
    platform = load_platform("atlas150", scale=0.02)
    rush = Disturbance.of({"name": "conference_rush", "factor": 4.0, "begin": 0.2, "lasts": 0.6})
    made = [
        [episode(stream, platform, jobs=3000, seed=seed, anomaly=a) for seed in range(8)]
        for a in (None, rush)
    ]
    plain, met = ([e.load for e in episodes] for episodes in made)
    assert plain == pytest.approx([0.95] * 8)
    assert np.mean(met) > 1.2
    spans = [np.mean([e.arrival_s[-1] for e in episodes]) for episodes in made]
    assert spans[1] < 0.85 * spans[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("conference_rsh", "conference_rush"),
        ({"begin": 0.1}, "with a name"),
        (3, "with a name"),
        ({"name": "site_outage", "begin": 1.5}, "begin"),
        ({"name": "site_outage", "lasts": True}, "lasts"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(given: Any, message: str) -> None:
    with pytest.raises(StreamError, match=message):
        Disturbance.of(given)
    with pytest.raises(StreamError, match=message):
        Scenario.of(anomaly=given)


def test_settings_that_the_anomaly_does_not_know_are_refused(stream: JobStream) -> None:
    wrong = Disturbance.of({"name": "site_outage", "fctor": 2.0})
    with pytest.raises(StreamError, match="settings"):
        episode(stream, load_platform("atlas150", scale=0.02), jobs=100, anomaly=wrong)
