"""One site against queueing theory: M/M/k and M/G/1 (Kleinrock, Queueing Systems, vol. 1)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from panda_gym.jobs import Episode
from panda_gym.simulator import Settings, Simulator
from tests.oracles.worlds import ENCODING, make_episode, make_platform

JOBS = 60_000


def mean_wait(cores: int, arrivals: np.ndarray, service: np.ndarray) -> float:
    """Mean wait for cores at one site, s, after the first tenth of the jobs."""
    platform = make_platform(1, most_cores=cores)
    n, speed = len(service), float(platform.power[0])
    one: Episode = replace(
        make_episode(platform, jobs=n),
        arrival_s=arrivals - arrivals[0],
        cores=np.ones(n, np.int32),
        workload_true=service * speed,
        workload_pred=service * speed,
        noise=np.ones(n),
        input_bytes=np.zeros(n),
    )
    rules = Settings(efficiency=1.0, staleness_s=1e9)
    simulator = Simulator(platform, batch=1, capacity=n, encoding=ENCODING, settings=rules)
    simulator.load(0, one, seed=0)
    simulator.begin()
    action = np.zeros(1, np.int64)
    for _ in range(n):
        simulator.step(action)
    simulator.drain(0)
    log = simulator.log(0)
    return float((log.start_s - log.arrival_s)[n // 10 :].mean())


@pytest.mark.parametrize(("cores", "load"), [(1, 0.7), (4, 0.8)])
def test_mmk_waits_as_erlang_c_says(cores, load):
    rng = np.random.default_rng(cores)
    arrivals = np.cumsum(rng.exponential(100.0 / (cores * load), JOBS))
    offered = cores * load
    last = offered**cores / math.factorial(cores) / (1.0 - load)
    erlang = last / (sum(offered**k / math.factorial(k) for k in range(cores)) + last)
    expected = erlang * 100.0 / (cores * (1.0 - load))
    found = mean_wait(cores, arrivals, rng.exponential(100.0, JOBS))
    assert found == pytest.approx(expected, rel=0.12)


def test_mg1_waits_as_pollaczek_and_khinchin_say():
    rng = np.random.default_rng(7)
    service = rng.choice([20.0, 260.0], JOBS, p=[2 / 3, 1 / 3])  # mean 100
    arrivals = np.cumsum(rng.exponential(100.0 / 0.6, JOBS))
    second = (2 * 20.0**2 + 260.0**2) / 3
    expected = (1 / (100.0 / 0.6)) * second / (2 * (1 - 0.6))
    assert mean_wait(1, arrivals, service) == pytest.approx(expected, rel=0.1)
