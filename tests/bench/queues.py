"""What a queue discipline costs where 10,000 jobs wait at one site of 1,000 cores.

    python -m tests.bench.queues

CPU microseconds a job (its arrival and the events until the next one), all in one run. Half of the
jobs have one core, the others up to 64; requested wall times are one to several true run times.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from panda_gym.jobs import Episode
from panda_gym.simulator import Settings, Simulator
from tests.oracles.worlds import ENCODING, make_episode, make_platform

CORES = 1000
WAITING = 10_000
MORE = 500
CASES = (
    ("fifo", 1), ("easy", 1),
    ("conservative", 1), ("conservative", 100), ("conservative", 500), ("conservative", 1000),
)  # fmt: skip
"""Discipline and `reservations`."""
PLATFORM = make_platform(1, most_cores=CORES)


def jobs() -> Episode:
    """10,000 jobs that arrive at once, then as many as the site can serve."""
    rng, n = np.random.default_rng(0), WAITING + MORE
    cores = np.where(rng.random(n) < 0.5, 1, rng.integers(1, 65, n)).astype(np.int32)
    run, speed = np.exp(rng.normal(8.0, 1.2, n)), float(PLATFORM.power[0])
    span = MORE * float((cores * run).mean()) / CORES
    return replace(
        make_episode(PLATFORM, jobs=n),
        arrival_s=np.concatenate([np.zeros(WAITING), np.sort(rng.random(MORE)) * span]),
        cores=cores,
        workload_true=run * cores * speed,
        workload_pred=run * cores * speed * np.exp(rng.normal(0.0, 0.7, n)),
        noise=np.ones(n),
        input_bytes=np.zeros(n),
        requested_s=np.ceil(run * (1.0 + rng.exponential(2.0, n)) / 600.0) * 600.0,
    )


def cost(discipline: str, reservations: int) -> float:
    """CPU microseconds a job behind a long queue."""
    episode, action = jobs(), np.zeros(1, np.int64)
    rules = Settings(
        efficiency=1.0, staleness_s=1e6, discipline=discipline, reservations=reservations
    )
    simulator = Simulator(
        PLATFORM, batch=1, capacity=len(episode), encoding=ENCODING, settings=rules
    )
    simulator.load(0, episode, seed=0)
    simulator.begin()
    for _ in range(WAITING):
        simulator.step(action)
    begin = time.process_time()
    for _ in range(MORE):
        simulator.step(action)
    return 1e6 * (time.process_time() - begin) / MORE


def main() -> None:
    """Print the table."""
    for discipline, reservations in CASES:
        print(f"{discipline:<14}{reservations:>6}{cost(discipline, reservations):>10.0f} us a job")


if __name__ == "__main__":
    main()
