"""Oracles: what they foresee comes true, and they are no policies."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from panda_gym import oracles
from panda_gym.benchmarking.episodes import play
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from panda_gym.oracles.true_completion import TrueCompletion
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(5, most_cores=12)


def batch(jobs: int = 60, envs: int = 2, **settings: Any) -> PlacementBatch:
    stream = make_stream(PLATFORM, jobs=400)
    given = {"platform": PLATFORM, "scale": 1.0, "warmup": 20, "running": 10, "load": 1.2}
    return PlacementBatch(Scenario.of(stream=stream, jobs=jobs, **{**given, **settings}), envs)


def test_names_are_the_registry_in_order() -> None:
    assert list(oracles.names()) == sorted(oracles.REGISTRY)


@pytest.mark.parametrize("name", oracles.names())
def test_an_oracle_answers_legal_sites_again_and_again(name: str) -> None:
    world = batch(failures=True, retries=True, storage=True, network=1, outages=True)
    first = play(world, oracles.create(name), [3, 4], label=name)
    assert first == play(world, oracles.create(name), [3, 4], label=name)


@pytest.mark.parametrize("name", oracles.names())
def test_an_oracle_is_no_policy(name: str) -> None:
    with pytest.raises(PolicyError, match="name of a policy"):
        policies.create(name)
    with pytest.raises(PolicyError, match="oracles"):
        policies.create(f"{oracles.PREFIX}{name}")


def test_an_unknown_oracle_names_the_nearest() -> None:
    with pytest.raises(PolicyError, match="clairvoyant"):
        oracles.create("clairvoyent")
    with pytest.raises(PolicyError, match="window"):
        oracles.create("clairvoyant", windows=3)


def test_what_is_foreseen_comes_true() -> None:
    """Without luck, a job whose input is at hand ends when and where it was foreseen to end."""
    world = batch(envs=1, input_scale=1e-12, competing={"mean": 0.5, "spread": 0.5})
    world.begin([(0, np.random.default_rng(5))])
    oracle, rng = TrueCompletion(), np.random.default_rng(0)
    oracle.reset(world)
    foreseen, rows = [], []
    while not world.simulator.done.any():
        ends = oracle.ends(world)[0]
        site = int(rng.choice(np.flatnonzero(world.simulator.mask[0])))  # queues of all lengths
        foreseen.append(ends[site])
        rows.append(int(world.simulator.world.pending[0, 0]))
        world.step(np.array([site]))
    log = world.log(0)
    assert np.isnan(foreseen).sum() == 0
    np.testing.assert_allclose(log.end_s[rows], foreseen, rtol=1e-9)
    assert (log.starting_s[rows] > log.arrival_s[rows] + 1.0).any()  # some did wait


def test_the_plan_is_the_best_of_all_plans() -> None:
    """Of a few jobs without luck, none of all plans does better than the planner's."""
    world = batch(jobs=4, envs=1, load=3.0)
    legal, found = range(len(PLATFORM)), {}
    for plan in itertools.product(legal, repeat=4):
        world.begin([(0, np.random.default_rng(8))])
        wide = [int(world.platform.cores[s]) for s in plan]
        for site, cores in zip(plan, wide, strict=True):
            if world.simulator.mask[0, site] == 0:
                break
            world.step(np.array([site]))
            del cores
        else:
            log = world.log(0)
            mine = np.arange(len(log)) >= log.warmup
            late = (log.end_s - log.arrival_s)[mine] / np.maximum(log.ideal_s[mine], log.bound_s)
            found[plan] = np.log(np.maximum(late, 1.0)).mean()
    oracle = oracles.create("clairvoyant", every=1, sweeps=10, wide=5)
    measured = play(world, oracle, [8], label="clairvoyant")[0]
    reached = np.log(measured["geometric_slowdown"])
    assert reached <= min(found.values()) + 0.02 * (max(found.values()) - min(found.values()))
    assert min(found.values()) < np.median(list(found.values())) - 0.05


def test_look_ahead_pays() -> None:
    world = batch(jobs=150, envs=4, load=1.3, failures=True, retries=True)
    seeds = [1, 2, 3, 4]

    def ln(name: str) -> float:
        measured = play(world, oracles.create(name), seeds, label=name)
        return float(np.mean(np.log([one["geometric_slowdown"] for one in measured])))

    random = play(world, policies.create("random"), seeds)
    greedy, planned = ln("true_completion"), ln("clairvoyant")
    assert planned < greedy < np.mean(np.log([one["geometric_slowdown"] for one in random]))


def test_several_decisions_at_once_are_refused() -> None:
    world = batch(decisions=2)
    with pytest.raises(PolicyError, match="one decision at a time"):
        play(world, oracles.create("clairvoyant"), [1, 2])
