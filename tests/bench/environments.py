"""Decisions per CPU second of environments as users make them, with nothing tuned for it.

    python -m tests.bench.environments
    python -m tests.bench.environments --scenario atlas --batch 64 --seconds 8

Each environment comes from `gymnasium.make_vec` with its defaults and is stepped with random site
numbers on one thread; resets count as they come. The last column says how many times as many
decisions a second could have their observations merely filled with bytes (memset): the bound of
anything that writes these observations.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # before numba is imported

import gymnasium
import numpy as np

import panda_gym  # noqa: F401 - registers the environments

ID: Final = "PandaGrid/Placement-v0"
SCENARIOS: Final = ("default", "atlas", "saturated", "data-heavy")
BATCHES: Final = (64, 256)
WARM_STEPS: Final = 16
"""Steps before the clock starts: compilation and first touches of memory."""
ACTIONS: Final = 64
"""Batches of random actions that are repeated."""


@dataclass(frozen=True)
class Rate:
    """What one environment did in its time."""

    scenario: str
    batch: int
    decisions_per_s: float
    """Decisions per CPU second."""
    filled_per_s: float
    """Decisions per CPU second whose observations could be filled with bytes."""

    def line(self) -> str:
        """Return the row of the table."""
        times = self.filled_per_s / self.decisions_per_s
        rate = self.decisions_per_s / 1e6
        return f"{self.scenario:<12} {self.batch:>5} {rate:>10.3f} {times:>8.1f}"


def measure(scenario: str, batch: int, seconds: float) -> Rate:
    """Step a vector environment for so many CPU seconds."""
    settings = {} if scenario == "default" else {"scenario": scenario}
    envs = gymnasium.make_vec(ID, num_envs=batch, **settings)
    observation, _ = envs.reset(seed=0)
    actions = _actions(envs, batch)
    for action in actions[:WARM_STEPS]:
        envs.step(action)
    began, steps = time.process_time(), 0
    while time.process_time() - began < seconds:
        envs.step(actions[steps % ACTIONS])
        steps += 1
    rate = steps * batch / (time.process_time() - began)
    envs.close()
    size = sum(part.nbytes for part in observation.values())
    return Rate(scenario, batch, rate, batch * fills_per_s(size, min(seconds, 1.0)))


def fills_per_s(size: int, seconds: float) -> float:
    """Return how often a buffer of `size` bytes can be filled in a CPU second."""
    buffer, began, fills = np.empty(size, np.uint8), time.process_time(), 0
    while time.process_time() - began < seconds:
        buffer.fill(fills & 255)
        fills += 1
    return fills / (time.process_time() - began)


def _actions(envs: Any, batch: int) -> list[np.ndarray]:
    rng, sites = np.random.default_rng(0), int(envs.single_action_space.n)
    return [rng.integers(0, sites, batch) for _ in range(ACTIONS)]


def main(words: Sequence[str] | None = None) -> list[Rate]:
    """Measure all asked for and print a table."""
    parser = argparse.ArgumentParser(description="Decisions per CPU second of environments.")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    parser.add_argument("--batch", action="append", type=int)
    parser.add_argument("--seconds", type=float, default=4.0, help="CPU seconds of each")
    given = parser.parse_args(words)
    print(f"{'scenario':<12} {'batch':>5} {'M dec/s':>10} {'memset x':>8}", flush=True)
    found = []
    for scenario in given.scenario or SCENARIOS:
        for batch in given.batch or BATCHES:
            found.append(measure(scenario, batch, given.seconds))
            print(found[-1].line(), flush=True)
    return found


if __name__ == "__main__":
    main()
