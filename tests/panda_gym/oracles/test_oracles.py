"""Oracles: what they foresee comes true, and they are no policies."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym import oracles, simulator
from panda_gym.benchmarking.episodes import play
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from panda_gym.jit.compiled import entry_decorator
from panda_gym.oracles.greedy import LATE
from panda_gym.oracles.planner import next_of_stream
from panda_gym.oracles.site_queue import site_value, value_with, value_without
from panda_gym.oracles.true_completion import TrueCompletion
from panda_gym.simulator import EpisodeLog
from panda_gym.simulator.compiled_api import world_of
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(5, most_cores=12)


def batch(
    jobs: int = 60, envs: int = 2, datasets: int | None = None, **settings: Any
) -> PlacementBatch:
    stream = make_stream(PLATFORM, jobs=400, datasets=datasets)
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


@pytest.mark.parametrize("level", [0, 1])
def test_the_forecast_knows_every_job_that_waits(level: int) -> None:
    """Also those that wait for the transfer of another job, which may have left."""
    world = batch(
        envs=1, jobs=150, datasets=5, load=3.0, input_scale=300.0, network=level,
        storage={"gb_per_core": 1e4}, limits={"assigned_s": 200.0},
        cancellations={"share": 0.3, "mean_s": 100.0},
    )  # fmt: skip
    world.begin([(0, np.random.default_rng(5))])
    oracle, simulator, joined = TrueCompletion(), world.simulator, 0
    oracle.reset(world)
    assert oracle.context is not None
    while not simulator.done.any():
        ends, sites = oracle.ends(world)[0], simulator.world.sites[0]
        waiting = sites["assigned"] + sites["activated"]
        np.testing.assert_array_equal(oracle.context.forecast.length, waiting)
        joined += int((simulator.world.transfers[0]["first"] > 0).sum())
        world.step(np.array([int(np.argmin(np.where(simulator.mask[0] > 0, ends, np.inf)))]))
    assert joined > 0


@pytest.mark.parametrize("level", [0, 1])
def test_the_greedy_oracle_names_the_least_of_all_ends(level: int) -> None:
    """`choose` skips most walks; the first of the least of all ends is what it must answer."""
    world = batch(
        envs=2, jobs=200, datasets=20, load=1.5, input_scale=30.0, network=level, storage=True,
        failures=True, retries=True, outages={"up_s": 3000.0, "down_s": 900.0}, pilot_s=60.0,
    )  # fmt: skip
    world.begin([(e, np.random.default_rng(e)) for e in range(2)])
    oracle = TrueCompletion()
    oracle.reset(world)
    while not world.simulator.done.any():
        legal = world.simulator.mask[:, : len(PLATFORM)] > 0
        least = np.where(legal, np.minimum(oracle.ends(world), LATE), np.inf).argmin(axis=1)
        np.testing.assert_array_equal(oracle.choose(world), least)
        world.step(least)


def total_ln(log: EpisodeLog) -> float:
    """Sum of the ln bounded slowdowns of all jobs of a log."""
    late = (log.end_s - log.arrival_s) / np.maximum(log.ideal_s, log.bound_s)
    return float(np.log(np.maximum(late, 1.0)).sum())


def least_total(every: PlacementBatch, plans: np.ndarray, seed: int) -> float:
    """The least total of all plans of the first jobs, each played in a grid of its own."""
    every.begin([(e, np.random.default_rng(seed)) for e in range(len(plans))])
    legal = np.ones(len(plans), bool)
    for sites in plans.T:
        may = every.simulator.mask[np.arange(len(plans)), sites] > 0
        legal &= may
        every.step(np.where(may, sites, every.simulator.mask[:, : len(PLATFORM)].argmax(axis=1)))
    return min(total_ln(every.log(int(e))) for e in np.flatnonzero(legal))


def optimal_plans(worlds: int) -> int:
    """In how many worlds of four jobs and five sites no plan is better than the planner's."""
    plans = np.array(list(itertools.product(range(len(PLATFORM)), repeat=4)))
    every, one = batch(jobs=4, envs=len(plans), load=3.0), batch(jobs=4, envs=1, load=3.0)
    found = 0
    for seed in range(worlds):
        oracle = oracles.create("clairvoyant", every=1, sweeps=10, chains=20)
        play(one, oracle, [seed], label="clairvoyant")
        found += total_ln(one.log(0)) <= least_total(every, plans, seed) + 1e-9
    return found


def test_the_plan_is_the_best_of_all_plans() -> None:
    assert optimal_plans(8) == 8


@pytest.mark.long
def test_the_plan_is_the_best_of_all_plans_in_95_of_100_worlds() -> None:
    assert optimal_plans(100) >= 95


@entry_decorator(Path(oracles.__file__).parent, Path(simulator.__file__).parent)
def values_of_changes(table: Any, k: Any, e: int, values: Any) -> None:
    """Write what `value_with`, `value_without` and the walk of the whole queue say of each job."""
    w = world_of(table)
    for s in range(len(w.site_static)):
        for j in range(next_of_stream(w, e), w.grids[e]["jobs"]):
            if k.plan[e, j] == s:
                values[s, j, 0] = value_without(w, k, e, s, j)
                values[s, j, 1] = site_value(w, k, e, s, -1, j, False)
            elif k.plan[e, j] >= 0:
                values[s, j, 0] = value_with(w, k, e, s, j)
                values[s, j, 1] = site_value(w, k, e, s, j, -1, False)


@pytest.mark.parametrize("storage", [False, True])
def test_the_value_of_a_change_is_that_of_the_whole_queue(storage: bool) -> None:
    world = batch(jobs=120, envs=1, load=3.0, storage=storage, failures=True, retries=True)
    world.begin([(0, np.random.default_rng(3))])
    oracle = oracles.create("clairvoyant", every=20)
    oracle.reset(world)
    for _ in range(41):
        world.step(oracle.choose(world))
    oracle.choose(world)
    values = np.full((len(PLATFORM), len(oracle.context.forecast.plan[0]), 2), np.nan)
    values_of_changes(oracle.context.table, oracle.context.forecast, 0, values)
    fast, slow = values[..., 0], values[..., 1]
    assert np.isfinite(fast).sum() > 100
    np.testing.assert_allclose(fast, slow, rtol=1e-12)


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
