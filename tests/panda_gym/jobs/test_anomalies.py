"""Anomalies: something happens where and when it was asked for, and nothing elsewhere."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import panda_gym
from panda_gym.errors import StreamError
from panda_gym.jobs import STATUSES, JobStream
from panda_gym.jobs.anomalies import ANOMALIES, with_anomaly

DAY = 86_400.0


@pytest.fixture(scope="module")
def stream() -> JobStream:
    return JobStream.from_records(panda_gym.reference_records(6_000, seed=2, keep=["jeditaskid"]))


def between(stream: JobStream, first: float, last: float) -> np.ndarray:
    return (stream.arrival_s >= first * DAY) & (stream.arrival_s < last * DAY)


@pytest.mark.parametrize("name", ANOMALIES)
def test_an_anomaly_is_seeded_and_named_and_leaves_the_days_before_it_alone(
    name: str, stream: JobStream
) -> None:
    changed = with_anomaly(stream, name, day=60.0)
    assert changed.digest() == with_anomaly(stream, name, day=60.0).digest()
    assert changed.digest() != stream.digest()
    assert name.replace("_", " ") in changed.origin
    before, after = (t.arrival_s[between(t, 0, 54)] for t in (stream, changed))
    np.testing.assert_array_equal(before, after)


def test_a_rush_grows_towards_its_deadline(stream: JobStream) -> None:
    rushed = with_anomaly(stream, "conference_rush", day=90.0, days=60.0, factor=3.0)
    late = between(rushed, 60, 90).sum() / between(stream, 60, 90).sum()
    early = between(rushed, 30, 60).sum() / between(stream, 30, 60).sum()
    assert late == pytest.approx(2.5, abs=0.5)
    assert early == pytest.approx(1.5, abs=0.4)
    assert between(rushed, 92, 140).sum() == between(stream, 92, 140).sum()


def test_a_campaign_begins_and_stays(stream: JobStream) -> None:
    more = with_anomaly(stream, "campaign_start", day=60.0, share=0.5)
    added = len(more) - len(stream)
    assert added / between(stream, 60, 999).sum() == pytest.approx(0.5, abs=0.2)
    project = np.bincount(stream.project).argmax()
    assert (more.project == project).sum() - (stream.project == project).sum() == added


def test_jobs_of_a_site_wait_for_its_return(stream: JobStream) -> None:
    site = stream.site_names[np.bincount(stream.source).argmax()]
    place = stream.site_names.index(site)
    out = with_anomaly(stream, "site_outage", day=30.0, days=20.0, sites=[site])
    assert not (between(out, 30, 50) & (out.source == place)).any()
    assert (between(stream, 30, 50) & (stream.source == place)).any()
    assert len(out) == len(stream)
    assert out.total_gflop == pytest.approx(stream.total_gflop)


def test_a_broken_release_fails_and_comes_again(stream: JobStream) -> None:
    broken = with_anomaly(stream, "broken_release", day=40.0, hours=240.0, work=0.1)
    kind = np.bincount(stream.datatype[between(stream, 40, 50)]).argmax()
    hit = between(broken, 40, 50) & (broken.datatype == kind)
    assert (broken.status[hit] == STATUSES.index("failed")).all()
    assert (broken.failure_u[hit] == 0.0).all()
    assert len(broken) - len(stream) == hit.sum() > 0
    original = stream.workload_true[between(stream, 40, 50) & (stream.datatype == kind)]
    np.testing.assert_allclose(broken.workload_true[hit], 0.1 * original)


@pytest.mark.parametrize("name", ANOMALIES)
def test_every_setting_is_explained(name: str) -> None:
    text = inspect.getdoc(ANOMALIES[name]) or ""
    settings = [key for key in inspect.signature(ANOMALIES[name]).parameters if key != "stream"]
    assert all(f"{key}:" in text for key in settings)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("conference_rsh", {}, "conference_rush"),
        ("conference_rush", {"factor": 0.5}, "factor"),
        ("conference_rush", {"fctor": 2.0}, "settings"),
        ("campaign_start", {"share": -1.0}, "share"),
        ("site_outage", {"sites": ["NOWHERE"]}, "sites"),
        ("site_outage", {"largest": 0}, "recorded sites"),
        ("broken_release", {"datatype": "DAOD_NONE"}, "format"),
        ("broken_release", {"work": 0.0}, "work"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    stream: JobStream, name: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(StreamError, match=message):
        with_anomaly(stream, name, **settings)
