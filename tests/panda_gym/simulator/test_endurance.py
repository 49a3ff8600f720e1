"""Ten million random decisions with everything on: nothing is lost, broken or piled up."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

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

PLATFORM = make_platform(40, most_cores=24)
EVERYTHING = Settings(
    competing=Competing(),
    network=Network(level=1),
    storage=Storage(gb_per_core=3.0),
    failures=Failures(),
    retries=Retries(),
    limits=Limits(activated_s=20_000.0),
    outages=Outages(up_s=50_000.0, down_s=10_000.0, brown_s=10_000.0),
    cancellations=Cancellations(),
    discipline="easy",
    pilot_s=60.0,
    defer_s=300.0,
)
GRIDS, JOBS, WARMUP = 64, 2000, 200
FINAL = ("finished", "failed", "closed", "cancelled")


def resident() -> int:
    """Memory of this process, bytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def assert_within_bounds(simulator: Simulator) -> None:
    """Cores add up, quotas hold, and every job that is not over stands in one place."""
    w = simulator.world
    sites, stores = w.sites, w.site_storage
    cores = sites["free"] + sites["used"] + sites["competing_cores"] + sites["offline_cores"]
    assert (cores == w.site_static["cores"]).all()
    assert (sites["used"] >= 0).all()
    assert (sites["used"] <= w.site_static["cores"]).all()
    assert (sites["competing_cores"] <= w.site_static["cores"] - sites["widest"]).all()
    alive = (sites["running"] + sites["activated"] + sites["assigned"]).sum(axis=1)
    assert (alive == w.grids["unfinished"]).all()
    assert (stores["used"] <= stores["quota"]).all()
    assert (stores["pinned"] >= 0.0).all()
    assert (stores["pinned"] <= stores["used"]).all()
    assert (stores["outgoing"].sum(axis=1) == w.grids["flows"]).all()
    assert np.isfinite(w.flat).all()


def assert_conserved(simulator: Simulator, e: int) -> None:
    """After the last job has ended: every job came to an end, and gave back what it held."""
    simulator.drain(e)
    w, log = simulator.world, simulator.log(e)
    reached = log.site >= 0
    assert np.isin(log.state[reached], FINAL).all()
    assert log.attempt.max() <= 3
    again = log.attempt > 1
    assert (np.isin(log.state[log.origin[again]], ("failed", "closed"))).all()
    last = np.zeros(len(log), dtype=np.int64)
    np.maximum.at(last, log.origin, log.attempt)
    lost = np.isin(log.state, ("failed", "closed")) & (log.attempt < 3)
    assert (last[log.origin[lost]] > log.attempt[lost]).all()
    assert w.grids[e]["unfinished"] == w.grids[e]["flows"] == 0
    assert (w.site_storage[e]["pinned"] == 0.0).all()
    assert (w.sites[e]["used"] == 0).all()


def wander(decisions: int, every: int) -> tuple[int, int]:
    """Take so many random decisions; return the memory after a tenth of them and at the end.

    every: steps between two looks at the whole state.
    """
    simulator = Simulator(
        PLATFORM, batch=GRIDS, capacity=WARMUP + JOBS, encoding=ENCODING, settings=EVERYTHING
    )
    rng, taken, early = np.random.default_rng(0), 0, 0
    while taken < decisions:
        for e in range(GRIDS):
            seed = int(rng.integers(2**31))
            drawn = make_episode(
                PLATFORM, jobs=JOBS, warmup=WARMUP, load=0.6, seed=seed % 8, datasets=300,
                hazard=0.2,
            )  # fmt: skip
            simulator.load(e, drawn, seed)
        simulator.begin()
        for k in range(min(JOBS, -(-(decisions - taken) // GRIDS))):
            simulator.step(rng.integers(-1, len(PLATFORM) + 2, GRIDS))
            taken += GRIDS
            if k % every == 0:
                assert_within_bounds(simulator)
        for e in range(0, GRIDS, 16):
            assert_conserved(simulator, e)
        if early == 0 and taken >= decisions // 10:
            early = resident()
    return early, resident()


def test_random_decisions_break_nothing():
    wander(20_000, every=1)


@pytest.mark.long
@pytest.mark.parametrize("decisions", [10**7, 10**8])
def test_many_random_decisions_break_nothing_and_keep_no_memory(decisions):
    early, late = wander(decisions, every=97)
    assert late < 1.02 * early
