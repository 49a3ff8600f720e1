"""Claims about episodes: the load is reached, same seed same episode, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.errors import SeedError, StreamError
from panda_gym.jobs import Episode, JobStream, episode
from panda_gym.jobs.episode import NOISE_SPREAD, noise
from panda_gym.jobs.fields import ARRAYS
from panda_gym.sites import load_platform

TINY = load_platform("tiny4")


def same(a: Episode, b: Episode) -> bool:
    """Whether all fields are equal, those of the next job included."""
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in fields(Episode)]
    return all(
        same(one, other)
        if isinstance(one, Episode) and isinstance(other, Episode)
        else np.array_equal(one, other, equal_nan=isinstance(one, float))
        for one, other in pairs
    )


@settings(max_examples=30, deadline=None)
@given(
    jobs=st.integers(2, 500),
    warmup=st.integers(0, 100),
    load=st.floats(0.05, 3.0),
    competing=st.floats(0.0, 0.9),
    seed=st.integers(0, 2**63),
)
def test_stretching_reaches_the_load_and_keeps_the_jobs(
    stream: JobStream, jobs: int, warmup: int, load: float, competing: float, seed: int
) -> None:
    made = episode(
        stream, TINY, jobs=jobs, warmup=warmup, load=load, competing_mean=competing, seed=seed
    )
    span = made.arrival_s[-1] - made.arrival_s[0]
    offered = made.workload_true.sum() / (span * TINY.capacity_gflops * (1 - competing))
    assert offered == pytest.approx(load) == made.load
    assert len(made) == warmup + jobs
    assert made.warmup == warmup
    assert made.arrival_s[0] == 0.0
    assert np.all(np.diff(made.arrival_s) >= 0)


def test_without_a_load_recorded_times_stay(stream: JobStream) -> None:
    made = episode(stream, TINY, jobs=len(stream), load=None, seed=3)
    first = int(np.flatnonzero(stream.workload_true == made.workload_true[0])[0])
    window = stream.window(first, len(stream))
    assert np.array_equal(made.arrival_s, window.arrival_s - window.arrival_s[0])
    for field in ARRAYS.keys() - {"arrival_s", "source", "noise_u", "failure_u", "place_u"}:
        assert np.array_equal(getattr(made, field), getattr(window, field)), field


def test_same_seed_same_episode_and_another_seed_another(stream: JobStream) -> None:
    first, again, other = (episode(stream, TINY, jobs=50, seed=s) for s in (1, 1, 2))
    assert same(first, again)
    assert not np.array_equal(first.noise, other.noise)
    assert not np.array_equal(first.workload_true, other.workload_true)


@pytest.mark.parametrize("tail", [None, 0, 6])
def test_the_next_job_is_the_one_that_the_stream_has_then(
    stream: JobStream, tail: int | None
) -> None:
    made = episode(stream, TINY, jobs=20, warmup=3, seed=4, tail=tail)
    longer = episode(stream, TINY, jobs=21 + (tail or 0), warmup=3, seed=4)
    assert made.next_job is not None
    for field in ("cores", "workload_pred", "input_bytes", "dataset", "replicas", "source"):
        assert np.array_equal(getattr(made.next_job, field)[0], getattr(longer, field)[-1]), field
    assert episode(stream, TINY, jobs=len(stream), load=None).next_job is None


def test_policies_meet_the_same_draws_at_another_load(stream: JobStream) -> None:
    low, high = (episode(stream, TINY, jobs=50, load=load, seed=1) for load in (0.5, 1.0))
    for field in ("workload_true", "noise", "failure_u", "place_u", "replicas"):
        assert np.array_equal(getattr(low, field), getattr(high, field))
    assert low.arrival_s == pytest.approx(2.0 * high.arrival_s)


def test_the_clock_is_the_time_of_the_week(stream: JobStream) -> None:
    # The stream begins on a Wednesday at noon, and its first job is 2.5 days after Monday.
    epoch = np.datetime64(stream.epoch, "s")
    made = episode(stream, TINY, jobs=5, seed=4)
    first = int(np.flatnonzero(stream.workload_true == made.workload_true[0])[0])
    at = epoch + stream.arrival_s[first].astype("timedelta64[s]")
    monday = np.datetime64("2024-01-01T00:00:00", "s")
    assert made.clock_s == float((at - monday).astype(int) % 604_800)


def test_noise_is_symmetric_about_one_and_bounded() -> None:
    u = np.linspace(0.0, 1.0, 1001)
    factor = noise(u)
    assert factor[500] == 1.0
    assert factor * factor[::-1] == pytest.approx(1.0)
    assert factor[-1] == pytest.approx((1 + NOISE_SPREAD) / (1 - NOISE_SPREAD))
    assert np.std(np.log(factor)) == pytest.approx(2 * NOISE_SPREAD / np.sqrt(3), rel=0.01)


def test_draws_are_uniform(make_stream: Callable[..., JobStream]) -> None:
    made = episode(make_stream(3000), TINY, jobs=3000, seed=0)
    for field in ("noise_u", "failure_u", "place_u"):
        counts = np.histogram(getattr(made, field), bins=10, range=(0, 1))[0]
        assert np.all(np.abs(counts - 300) < 90)
    assert np.array_equal(made.noise, noise(made.noise_u))


def test_one_job_is_an_episode_at_any_load(make_stream: Callable[..., JobStream]) -> None:
    made = episode(make_stream(1), TINY, jobs=1, load=0.5)
    assert made.arrival_s.tolist() == [0.0]


def test_an_episode_longer_than_the_stream_goes_round(
    make_stream: Callable[..., JobStream],
) -> None:
    made = episode(make_stream(10), TINY, jobs=35, load=0.9)
    assert np.array_equal(made.workload_true[:10], made.workload_true[10:20])
    assert np.all(np.diff(made.arrival_s) >= 0)
    assert not np.array_equal(made.noise[:10], made.noise[10:20])


@pytest.mark.parametrize(
    ("setting", "needed"),
    [
        ({"jobs": 0}, "jobs as a whole number >= 1"),
        ({"jobs": 1.5}, "jobs as a whole number"),
        ({"jobs": "9"}, "jobs as a whole number"),
        ({"jobs": True}, "jobs as a whole number"),
        ({"warmup": -1}, "warmup as a whole number >= 0"),
        ({"running": -1}, "running as a whole number >= 0"),
        ({"load": 0.0}, "a load above 0"),
        ({"load": float("nan")}, "a load above 0"),
        ({"competing_mean": 1.0}, r"competing_mean in \[0, 1\)"),
        ({"competing_mean": -0.1}, "competing_mean"),
        ({"strict": True}, "sites of platform 'tiny4' .strict.; got 'ELSEWHERE'"),
    ],
)
def test_each_bad_setting_is_one_clear_error(
    stream: JobStream, setting: dict[str, Any], needed: str
) -> None:
    with pytest.raises(StreamError, match=needed):
        episode(stream, TINY, **({"jobs": 5} | setting))


def test_jobs_under_way_come_first_and_leave_the_window_as_it_was(stream: JobStream) -> None:
    bare, full = (episode(stream, TINY, jobs=40, warmup=5, running=n, seed=2) for n in (0, 30))
    assert (full.warmup, len(full)) == (35, 75)
    assert np.all(full.arrival_s[:30] == 0.0)
    assert np.all(full.input_bytes[:30] == 0.0)
    assert full.load == bare.load
    for field in ("arrival_s", "workload_true", "noise", "place_u", "replicas"):
        assert np.array_equal(getattr(full, field)[30:], getattr(bare, field)), field


@pytest.mark.parametrize("seed", [1.0, "1", True, -1])
def test_a_wrong_seed_is_refused(stream: JobStream, seed: object) -> None:
    with pytest.raises(SeedError):
        episode(stream, TINY, jobs=5, seed=seed)  # type: ignore[arg-type]


def test_a_job_that_fits_no_site_is_refused(stream: JobStream) -> None:
    wide = replace(stream, cores=np.full(len(stream), 65))
    with pytest.raises(StreamError, match=r"at most 64 cores.*got one of 65"):
        episode(wide, TINY, jobs=5)


def test_a_load_that_cannot_be_reached_is_refused(stream: JobStream) -> None:
    idle = replace(stream, workload_true=np.zeros(len(stream)))
    with pytest.raises(StreamError, match="no work at all"):
        episode(idle, TINY, jobs=5)
    together = replace(stream, arrival_s=np.zeros(len(stream)))
    with pytest.raises(StreamError, match="all at once"):
        episode(together, TINY, jobs=1, warmup=1, seed=0)
    assert np.isnan(episode(together, TINY, jobs=5, load=None).load)


def test_wall_times_are_replayed_as_recorded(make_stream) -> None:
    recorded = replace(make_stream(30), wall_times=True)
    made = episode(recorded, TINY, jobs=30, load=None, start=0, efficiency=0.8, seed=2)
    assert np.array_equal(made.workload_true, recorded.workload_true * 0.8)
    assert np.array_equal(made.workload_pred, recorded.workload_pred * 0.8)
    assert np.array_equal(made.noise, np.ones(30))
    assert np.array_equal(made.arrival_s, recorded.arrival_s - recorded.arrival_s[0])


def test_the_load_of_wall_times_is_offered_as_asked(make_stream) -> None:
    recorded = replace(make_stream(30), wall_times=True)
    made = episode(recorded, TINY, jobs=30, load=0.5, running=5, efficiency=0.8, seed=2)
    plain = episode(make_stream(30), TINY, jobs=30, load=0.5, running=5, efficiency=0.8, seed=2)
    assert made.load == pytest.approx(0.5) == pytest.approx(plain.load)
    assert made.arrival_s == pytest.approx(plain.arrival_s * 0.8)
    assert np.array_equal(made.noise, np.ones(35))
    assert not np.array_equal(plain.noise, np.ones(35))


def test_recorded_times_never_begin_anew(make_stream) -> None:
    stream = make_stream(30)
    for seed in range(20):
        made = episode(stream, TINY, jobs=25, load=None, seed=seed)
        first = int(np.flatnonzero(stream.workload_true == made.workload_true[0])[0])
        assert first <= 5
        assert np.array_equal(made.workload_true, stream.workload_true[first : first + 25])
    assert len({episode(stream, TINY, jobs=25, load=None, seed=s).clock_s for s in range(20)}) > 1
    for more in ({"warmup": 6}, {"start": 6}):
        with pytest.raises(StreamError, match=r"at most \d+ jobs.*recorded times.*--jobs all"):
            episode(stream, TINY, jobs=25, load=None, **more)


def test_a_window_may_begin_at_a_named_job(make_stream) -> None:
    stream = make_stream(30)
    made = episode(stream, TINY, jobs=5, load=0.9, start=28, seed=1)
    assert np.array_equal(made.workload_true, stream.workload_true[[28, 29, 0, 1, 2]])
