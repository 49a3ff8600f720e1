"""Random worlds, and a hash of everything that happens in each.

    PANDA_GRID_JIT=plain python -m tests.panda_gym.jit.worlds 36

prints the mode, then one hash a line.
"""

from __future__ import annotations

import hashlib
import sys

import numpy as np

from panda_gym.jit.compiled import MODE
from panda_gym.simulator import (
    Cancellations,
    Competing,
    Failures,
    Limits,
    Network,
    Outages,
    Retries,
    Settings,
    Simulator,
    Storage,
)
from tests.oracles.worlds import ENCODING, make_episode, make_platform


def random_settings(rng: np.random.Generator) -> Settings:
    """Each mechanism on or off by the toss of a coin."""

    def coin() -> bool:
        return bool(rng.random() < 0.5)

    return Settings(
        competing=Competing(interval_s=200.0) if coin() else None,
        staleness_s=float(rng.choice([0.0, 60.0, 300.0])),
        network=Network(level=int(rng.integers(3)), mbps_per_core=0.2) if coin() else None,
        storage=Storage(gb_per_core=1.0) if coin() else None,
        failures=Failures() if coin() else None,
        retries=Retries() if coin() else None,
        limits=Limits(activated_s=2000.0, heartbeat_s=300.0) if coin() else None,
        outages=Outages(up_s=3000.0, down_s=1000.0) if coin() else None,
        cancellations=Cancellations() if coin() else None,
        discipline=str(rng.choice(["fifo", "priority", "easy", "conservative"])),
        kill_at_requested=coin(),
        requested_factor=0.8 if coin() else 0.0,
        pilot_s=30.0 if coin() else 0.0,
        events=20_000,
    )


def world_hash(seed: int) -> str:
    """SHA-256 of what is observed and of all that happens in a random world."""
    rng = np.random.default_rng(seed)
    sites = int(rng.integers(1, 40))
    platform = make_platform(sites, seed=seed, most_cores=9)
    batch = int(rng.integers(1, 4))
    rules = random_settings(rng)
    simulator = Simulator(platform, batch=batch, capacity=60, encoding=ENCODING, settings=rules)
    for e in range(batch):
        episode = make_episode(
            platform, jobs=45, warmup=15, load=2.0, datasets=9, hazard=0.3, seed=seed + e
        )
        simulator.load(e, episode, seed=seed + e)
    total = hashlib.sha256()
    simulator.begin()
    while not simulator.done.any():
        simulator.step(rng.integers(-1, sites + 1, (batch, 1)))
        for part in (simulator.flat, simulator.mask, simulator.outcome):
            total.update(part.tobytes())
    for e in range(batch):
        simulator.drain(e)
        total.update(simulator.events(e).tobytes())
    return total.hexdigest()


if __name__ == "__main__":
    print(MODE, *map(world_hash, range(int(sys.argv[1]))), sep="\n")
