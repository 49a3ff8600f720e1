"""EASY backfill: no job delays the head of its queue where predictions are exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panda_gym.simulator import Settings, Simulator
from tests.oracles.worlds import ENCODING, make_episode, make_platform


def starts(discipline: str, key: float, work: list[float], cores: list[int]) -> np.ndarray:
    """Starts of jobs that arrive at 0, 1, 2, ... s at one site of 4 cores; work in core s."""
    platform, n = make_platform(1, most_cores=4), len(work)
    total = np.array(work) * float(platform.power[0])
    jobs = replace(
        make_episode(platform, jobs=n),
        arrival_s=np.arange(n, dtype=np.float64),
        cores=np.array(cores, np.int32),
        workload_true=total,
        workload_pred=total,
        noise=np.ones(n),
        input_bytes=np.zeros(n),
        failure_u=np.random.default_rng(int(key)).random(n),
    )
    rules = Settings(efficiency=1.0, staleness_s=1e9, pilot_s=600.0, discipline=discipline)
    simulator = Simulator(platform, batch=1, capacity=n, encoding=ENCODING, settings=rules)
    simulator.load(0, jobs, seed=0)
    simulator.begin()
    for _ in range(n):
        simulator.step(np.zeros(1, np.int64))
    simulator.drain(0)
    return simulator.log(0).starting_s


@pytest.mark.parametrize("first", [3000.0, 4500.0])
def test_the_pilot_of_a_backfilled_job_does_not_delay_the_head(first):
    """Cores 3, 4, 1: the head needs all four, so the last job must have ended by its start."""
    assert make_platform(1, most_cores=4).cores[0] == 4
    backfilled = 0
    for key in range(60):
        fifo = starts("fifo", key, [first, 400.0, 990.0], [3, 4, 1])
        easy = starts("easy", key, [first, 400.0, 990.0], [3, 4, 1])
        assert easy[1] == fifo[1]
        backfilled += easy[2] < easy[1]
    assert 0 < backfilled < 60


def test_with_exact_predictions_easy_starts_no_head_later_than_fifo_would():
    rng = np.random.default_rng(5)
    for key in range(20):
        cores = rng.integers(1, 5, 12).tolist()
        work = (rng.exponential(1500.0, 12) * cores).tolist()
        fifo, easy = (starts(kind, key, work, cores) for kind in ("fifo", "easy"))
        head = int(np.argmax(fifo > np.arange(12)))  # the first job that waits at all
        assert easy[head] == fifo[head]
