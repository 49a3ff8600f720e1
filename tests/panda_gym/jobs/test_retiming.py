"""Arrival processes as an option of the job stream: same jobs at other times of the week."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.distributions import Constant, HourOfWeek, fit_arrivals, save_distribution
from panda_gym.distributions.arrivals import Trace, poisson
from panda_gym.errors import DistributionError, SettingError
from panda_gym.jobs import JobStream
from panda_gym.jobs.retiming import retimed
from panda_gym.records import reference_records


@pytest.fixture(scope="module")
def stream() -> JobStream:
    return JobStream.from_records(reference_records(3000, seed=1))


def test_the_jobs_stay_and_their_times_follow_the_distribution(stream):
    again = retimed(stream, poisson(10.0), seed=4)
    np.testing.assert_array_equal(again.workload_true, stream.workload_true)
    assert np.diff(again.arrival_s).mean() == pytest.approx(10.0, rel=0.1)
    np.testing.assert_array_equal(again.arrival_s, retimed(stream, poisson(10.0), 4).arrival_s)
    assert (again.arrival_s != retimed(stream, poisson(10.0), 5).arrival_s).any()


def test_a_trace_replays_its_own_gaps(stream):
    again = retimed(stream, Trace.fit(stream.arrival_s))
    np.testing.assert_allclose(np.diff(again.arrival_s), np.diff(stream.arrival_s), atol=1e-5)


def test_hours_of_the_week_are_those_of_the_stream_s_clock(stream):
    # A distribution of one busy hour, Monday 03:00 to 04:00, and quiet others.
    gaps = [Constant(1800.0)] * 168
    gaps[3] = Constant(2.0)
    distribution = HourOfWeek(tuple(gaps), np.ones(168), np.ones(168))
    times = retimed(stream, distribution).arrival_s
    clock = times + (np.datetime64(stream.epoch) - np.datetime64("1970-01-05")) / np.timedelta64(
        1, "s"
    )
    hour = (clock // 3600).astype(int) % 168
    assert np.bincount(hour, minlength=168).argmax() == 3


def test_the_environment_takes_a_distribution_or_its_file(stream, tmp_path):
    path = tmp_path / "arrivals.json"
    save_distribution(fit_arrivals(stream.arrival_s, "exponentiated_weibull"), path)
    given = {"platform": "tiny4", "scale": 1.0, "jobs": 20, "warmup": 5, "stream": stream}
    plain = gymnasium.make("PandaGrid/Placement-v0", **given)
    timed = gymnasium.make("PandaGrid/Placement-v0", arrivals=path, **given)
    clocks = []
    for env in (plain, timed):
        env.reset(seed=0)
        clocks.append(env.unwrapped.batch.scenario.open_stream().arrival_s)
    assert (clocks[0] != clocks[1]).any()
    with pytest.raises(SettingError, match="distribution of arrivals"):
        gymnasium.make("PandaGrid/Placement-v0", arrivals=Constant(3.0), **given)
    with pytest.raises(DistributionError, match="saved distribution"):
        gymnasium.make("PandaGrid/Placement-v0", arrivals=tmp_path / "none.json", **given)
