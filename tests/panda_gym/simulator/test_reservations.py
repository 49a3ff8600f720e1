"""Conservative backfilling and requested wall times: reservations hold, kills come on time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from panda_gym.jobs import Episode
from panda_gym.simulator import Competing, EpisodeLog, Outages, Retries, Settings, Simulator
from panda_gym.simulator.state import CAUSES
from tests.oracles.grid_twin import job_uniform
from tests.oracles.worlds import ENCODING, make_episode, make_platform

PLATFORM = make_platform(1, most_cores=4)


def jobs_of(work: Any, cores: Any, arrival: Any = None, requested: Any = 0.0) -> Episode:
    """Jobs at one site of 4 cores; work in core s; they arrive at 0, 1, 2, ... s."""
    n, total = len(work), np.array(work, np.float64) * float(PLATFORM.power[0])
    return replace(
        make_episode(PLATFORM, jobs=n),
        arrival_s=np.arange(n, dtype=np.float64) if arrival is None else np.asarray(arrival),
        cores=np.array(cores, np.int32),
        workload_true=total,
        workload_pred=total,
        noise=np.ones(n),
        input_bytes=np.zeros(n),
        failure_u=np.random.default_rng(n).random(n),
        requested_s=requested,
    )


def begun(episode: Episode, discipline: str, **rules: Any) -> Simulator:
    settings = Settings(efficiency=1.0, staleness_s=1e7, discipline=discipline, **rules)
    simulator = Simulator(
        PLATFORM, batch=1, capacity=len(episode), encoding=ENCODING, settings=settings
    )
    simulator.load(0, episode, seed=0)
    simulator.begin()
    return simulator


def log_of(episode: Episode, discipline: str, **rules: Any) -> EpisodeLog:
    simulator = begun(episode, discipline, **rules)
    while not simulator.done[0]:
        simulator.step(np.zeros(1, np.int64))
    simulator.drain(0)
    return simulator.log(0)


def random_jobs(seed: int, n: int = 40, **more: Any) -> Episode:
    rng = np.random.default_rng(seed)
    cores = rng.integers(1, 5, n)
    work = np.ceil(rng.exponential(900.0, n)) * cores
    return jobs_of(work, cores, np.cumsum(rng.integers(0, 600, n)).astype(float), **more)


def test_easy_lets_a_job_ahead_that_conservative_does_not():
    """Four jobs of 3, 3, 4 and 1 cores and 100, 100, 100 and 300 s.

    The second waits for the first. The last fits beside it, so EASY starts it at once; but it then
    delays the third, which holds a reservation under conservative backfilling.
    """
    cores = [3, 3, 4, 1]
    jobs = jobs_of(np.array([100.0, 100.0, 100.0, 300.0]) * cores, cores)
    assert log_of(jobs, "fifo").starting_s.tolist() == [0, 100, 200, 300]
    assert log_of(jobs, "easy").starting_s.tolist() == [0, 100, 303, 3]
    assert log_of(jobs, "conservative").starting_s.tolist() == [0, 100, 200, 300]
    assert log_of(jobs, "conservative", reservations=1).starting_s.tolist() == [0, 100, 303, 3]


def test_a_short_job_is_backfilled_and_a_reservation_moves_up_after_an_early_end():
    """The first job requests 400 s and runs for 100: the others move up to its end."""
    cores = [3, 4, 1]
    jobs = jobs_of(
        np.array([100.0, 100.0, 300.0]) * cores, cores, requested=np.array([400.0, 0.0, 0.0])
    )
    assert log_of(jobs, "conservative").starting_s.tolist() == [0, 302, 2]
    early = replace(jobs, requested_s=np.array([250.0, 0.0, 0.0]))
    assert log_of(early, "conservative").starting_s.tolist() == [0, 100, 200]


def schedule(episode: Episode, pilots: np.ndarray) -> list[float]:
    """Start of each job: the earliest slot beside all earlier jobs, found at its arrival."""
    slots: list[tuple[float, float, int]] = []
    speed = float(PLATFORM.power[0])
    for arrival, cores, work, pilot in zip(
        episode.arrival_s, episode.cores, episode.workload_true, pilots, strict=True
    ):
        for begin in sorted({float(arrival)} | {end for _, end, _ in slots if end > arrival}):
            end = begin + pilot + work / (cores * speed)
            times = [begin, *(first for first, _, _ in slots if begin < first < end)]
            used = [sum(c for a, b, c in slots if a <= time < b) for time in times]
            if max(used) + cores <= 4:
                break
        slots.append((begin, end, int(cores)))
    return [begin for begin, _, _ in slots]


@pytest.mark.parametrize("pilot_s", [0.0, 300.0])
@pytest.mark.parametrize("seed", range(10))
def test_with_exact_estimates_each_job_starts_at_its_first_reservation(seed, pilot_s):
    jobs = random_jobs(seed)
    keys = (jobs.failure_u * 2.0**53).astype(np.uint64).tolist()
    pilots = np.array([2.0 * pilot_s * job_uniform(key, 1, 2) for key in keys])
    planned = log_of(jobs, "conservative", pilot_s=pilot_s).starting_s
    assert planned.tolist() == schedule(jobs, pilots)
    first_come = log_of(jobs, "fifo", pilot_s=pilot_s).starting_s
    assert (planned <= first_come).all()
    assert (planned < first_come).any()


@pytest.mark.parametrize("seed", range(6))
def test_no_reservation_moves_back_where_estimates_are_upper_bounds(seed):
    """Requests are too long, and jobs that would run longer are killed: every end is early."""
    wanted = np.ceil(np.random.default_rng(seed).exponential(1500.0, 40)) + 1.0
    jobs = random_jobs(seed, requested=wanted)
    simulator = begun(jobs, "conservative", kill_at_requested=True, pilot_s=60.0)
    reserved = np.full(40, np.inf)
    moved = 0
    while not simulator.done[0]:
        simulator.step(np.zeros(1, np.int64))
        now = simulator.world.requests["reserved"][0, :40]
        waits = np.isfinite(now)
        assert (now[waits] <= reserved[waits]).all()
        moved += (now[waits] < reserved[waits]).sum()
        reserved[waits] = now[waits]
    simulator.drain(0)
    log = simulator.log(0)
    assert (log.starting_s <= reserved).all()
    assert moved > 40
    assert (log.cause == CAUSES.index("requested_limit")).any()


@pytest.mark.parametrize("seed", range(8))
def test_with_one_reservation_conservative_is_easy(seed):
    platform = make_platform(3, seed=seed, most_cores=8)
    episode = make_episode(platform, jobs=150, load=3.0, seed=seed, requested=2.0 * (seed % 2))
    rules = Settings(competing=Competing(), outages=Outages(up_s=20_000.0), pilot_s=60.0)
    logs = []
    for discipline in ("easy", "conservative"):
        simulator = Simulator(
            platform, batch=1, capacity=150, encoding=ENCODING,
            settings=replace(rules, discipline=discipline, reservations=1),
        )  # fmt: skip
        simulator.load(0, episode, seed=seed)
        simulator.begin()
        for k in range(150):
            simulator.step(np.array([k % (3 if episode.cores[k] <= platform.cores[2] else 1)]))
        simulator.drain(0)
        logs.append(simulator.log(0))
    np.testing.assert_array_equal(logs[0].starting_s, logs[1].starting_s)
    assert (np.diff(logs[0].starting_s) < 0).any()


def test_a_job_is_killed_when_its_requested_wall_time_has_passed():
    """It holds its cores until then; the time before the kill is wasted, and it is retried."""
    jobs = jobs_of([400.0, 300.0], [4, 4], requested=np.array([70.0, 75.0]))
    log = log_of(jobs, "fifo", kill_at_requested=True, pilot_s=50.0)
    assert log.state.tolist() == ["failed", "finished"]
    assert np.array(CAUSES)[log.cause].tolist() == ["requested_limit", "none"]
    assert log.end_s[0] == log.start_s[0] + 70.0
    assert log.start_s[0] > log.starting_s[0]
    assert log.starting_s[1] == log.end_s[0]
    np.testing.assert_allclose(log.run_s[1], 75.0)  # as long as requested: not killed
    assert log.wasted_s.tolist() == [4 * (log.end_s[0] - log.starting_s[0]), 0.0]
    spared = log_of(jobs, "fifo", pilot_s=50.0)
    np.testing.assert_allclose(spared.run_s, [100.0, 75.0])
    again = log_of(jobs, "fifo", kill_at_requested=True, retries=Retries(attempts=2, delay_s=1e7))
    assert again.attempt.tolist() == [1, 1, 2]


def test_requests_by_a_factor_go_with_the_prediction_and_spare_recorded_ones():
    jobs = jobs_of([400.0, 400.0], [4, 4], requested=np.array([0.0, 99.0]))
    log = log_of(jobs, "fifo", kill_at_requested=True, requested_factor=0.25)
    assert log.run_s.tolist() == [25.0, 99.0]


def test_easy_reserves_by_requested_wall_times():
    """The last job fits before the head by its prediction, and not by its request."""
    cores = [3, 4, 1]
    jobs = jobs_of(np.array([100.0, 100.0, 50.0]) * cores, cores)
    assert log_of(jobs, "easy").starting_s.tolist() == [0, 100, 2]
    asked = replace(jobs, requested_s=np.array([0.0, 0.0, 99.0]))
    for discipline in ("easy", "conservative"):
        assert log_of(asked, discipline).starting_s.tolist() == [0, 100, 200]
