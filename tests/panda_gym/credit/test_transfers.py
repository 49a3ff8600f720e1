"""What transfers cost others that share their network: against the log and against forks."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from panda_gym.credit import external_costs, find_objective, own_costs
from panda_gym.credit.external_cost import final_ends
from panda_gym.credit.transfers import SWEEP, transfers, write_transfer_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from tests.oracles.worlds import make_platform, make_stream
from tests.panda_gym.placements import small

JOBS = 30
PLATFORM = make_platform(5, most_cores=12)
HUGE: dict[str, Any] = {
    "platform": replace(PLATFORM, cores=np.full_like(PLATFORM.cores, 100_000)),
    "stream": make_stream(PLATFORM, jobs=300),
    "scale": 1.0,
    "jobs": JOBS,
    "warmup": 0,
    "running": 0,
    "load": None,
    "competing": None,
    "start": 0,
    "network": {"level": 1, "mbps_per_core": 1e-4},
    "input_scale": 20.0,
}
"""No job waits for cores; the last site is left to the job that is taken away."""


def random_sites(batch: PlacementBatch, seed: int = 0) -> list[int]:
    """Play an episode at random, never at the last site; return the sites."""
    rng, sites = np.random.default_rng(seed), []
    while not batch.done[0]:
        legal = np.flatnonzero(batch.simulator.mask[0, :-1])
        sites.append(int(legal[rng.integers(len(legal))]))
        batch.step(np.array(sites[-1:]))
    return sites


def begun(settings: dict[str, Any]) -> PlacementBatch:
    batch = PlacementBatch(Scenario.of(**settings), 1)
    batch.begin([(0, np.random.default_rng(3))])
    return batch


@pytest.mark.parametrize("network", [1, {"level": 1, "mbps_per_core": 0.01}])
def test_the_replayed_network_ends_every_transfer_when_the_episode_did(network: Any) -> None:
    batch = begun(small(jobs=60, network=network, input_scale=20.0))
    random_sites(batch)
    log, ones = batch.log(0), np.ones(len(batch.log(0)))
    rows, flows = transfers(
        batch.simulator, log, find_objective("ln_slowdown"), final_ends(log), ones
    )
    capacity = batch.simulator.network()[2]
    active = np.zeros((3, len(flows) + 1), np.int64)
    counts, costs = np.zeros((3, 2, len(capacity)), np.int64), np.zeros(len(flows))
    write_transfer_costs(flows, active, counts, capacity, costs)
    assert len(rows) > 40
    np.testing.assert_allclose(flows["end"][:, SWEEP], log.activation_s[rows], rtol=1e-9)
    assert not counts[SWEEP].any()
    assert (costs >= -1e-12).all()


@pytest.mark.parametrize("objective", ["ln_slowdown", "weighted_turnaround"])
def test_where_no_job_waits_for_cores_it_is_what_a_fork_saves(objective: str) -> None:
    row = replace(find_objective(objective), shared_links=True)
    batch = begun(HUGE)
    sites = random_sites(copy.deepcopy(batch))
    states = []
    for site in sites:
        states.append((copy.deepcopy(batch), int(batch.simulator.pending[0, 0])))
        batch.step(np.array([site]))
    log = batch.log(0)
    computed, own = external_costs(batch.simulator, 0, log, row), own_costs(log, row)
    exact = np.zeros(JOBS)
    for k, (aside, j) in enumerate(states):
        aside.simulator.world.jobs["input_bytes"][0, j] = 0.0
        for site in [len(PLATFORM) - 1, *sites[k + 1 :]]:
            aside.step(np.array([site]))
        exact[k] = np.delete(own - own_costs(aside.log(0), row), j).sum()
    assert (exact > 0.01).sum() >= 5
    np.testing.assert_allclose(computed[[j for _, j in states]], exact, rtol=1e-6, atol=1e-7)


def test_links_that_are_not_shared_cost_nothing() -> None:
    found = []
    for network in (None, 0):
        batch = begun({**HUGE, "network": network})
        random_sites(batch)
        row = find_objective("ln_slowdown_links")
        found.append(external_costs(batch.simulator, 0, batch.log(0), row))
    assert not np.any(found)


def test_only_an_objective_that_asks_for_it_pays_for_shared_links() -> None:
    batch = begun(HUGE)
    random_sites(batch)
    assert not external_costs(batch.simulator, 0, batch.log(0)).any()
