"""The lower bound: no policy passes it, no job and no site does more than the relaxation allows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking.episodes import outcomes, play
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.errors import PolicyError
from panda_gym.oracles import relaxation
from panda_gym.oracles.relaxation import lower_bound
from panda_gym.oracles.relaxation.arrays import Jobs, Sites
from panda_gym.simulator import EpisodeLog
from tests.panda_gym.oracles.test_oracles import PLATFORM, batch

OUTAGES = {"up_s": 20000.0, "down_s": 9000.0, "brown": 0.3}
WORLDS: dict[str, dict[str, Any]] = {
    "plain": {"load": 2.0},
    "competing": {"competing": {"mean": 0.5, "spread": 0.8, "memory": 0.9}},
    "failures": {"failures": {"scale": 3.0}, "retries": True, "pilot_s": 100.0},
    "data": {"datasets": 10, "storage": True, "network": 1, "input_scale": 30.0},
    "outages": {
        "failures": True, "retries": True, "outages": OUTAGES,
        "limits": {"heartbeat_s": 1000.0}, "pilot_s": 100.0,
    },
    "limits": {
        "failures": True, "retries": True, "outages": OUTAGES,
        "cancellations": {"share": 0.3, "mean_s": 3000.0},
        "limits": {"assigned_s": 3000.0, "activated_s": 20000.0},
    },
}  # fmt: skip


def begun(world: PlacementBatch, seed: int) -> tuple[Sites, Jobs]:
    """Begin an episode; return the relaxation of its grid."""
    world.begin([(0, np.random.default_rng(seed))])
    return relaxation._relaxation(world, 0, 1800.0, 96, len(PLATFORM))


def played(world: PlacementBatch, seed: int) -> EpisodeLog:
    """Place all jobs at random sites, most of them at one, so that queues grow."""
    rng = np.random.default_rng(seed)
    while not world.simulator.done.any():
        legal = np.flatnonzero(world.simulator.mask[0, : len(PLATFORM)])
        world.step(np.array([legal[0] if rng.random() < 0.6 else rng.choice(legal)]))
    return world.log(0)


def ln_slowdowns(log: EpisodeLog) -> np.ndarray:
    """ln bounded slowdown of each judged job."""
    steps = {name: np.zeros(0) for name in ("reward_pred", "reward_true", "cost")}
    return np.log(outcomes(log, steps, 1.0).slowdown())


def charged(log: EpisodeLog, sites: Sites) -> np.ndarray:
    """Core seconds, [S, B], that later jobs hold where they are charged.

    Later than all that had joined a queue when the bound was computed.
    """
    used, (origin,), (width,) = np.zeros(sites.most.shape), sites.origin, sites.width
    bins = used.shape[1]
    held = (log.wasted_s > 0.0) | (log.state == "finished")
    for row in np.flatnonzero(held & (log.starting_s > origin)):
        if log.activation_s[row] <= origin:
            continue
        s, t, end = int(log.site[row]), float(log.starting_s[row]), float(log.end_s[row])
        b = int((t - origin) / width)
        for q in range(b, min(bins, int((end - origin) / width) + 1)):
            if q == b or sites.least[s, q] >= sites.most[s, b]:
                edge = origin + q * width
                used[s, q] += log.cores[row] * (min(end, edge + width) - max(t, edge))
    return used


@pytest.mark.parametrize("name", WORLDS)
def test_no_job_and_no_site_does_more_than_the_relaxation_allows(name: str) -> None:
    world = batch(**{"jobs": 60, "envs": 1, "tail_jobs": 60, "load": 1.5, **WORLDS[name]})
    seen = 0.0
    for seed in range(4):
        sites, jobs = begun(world, seed)
        options = np.diff(jobs.first) > 0
        alone = jobs.unfinished.copy()
        alone[options] = np.minimum(alone, jobs.cost[jobs.first[:-1]])[options]
        log = played(world, seed)
        assert (ln_slowdowns(log) >= alone - 1e-9).all()
        used = charged(log, sites)
        assert (used <= sites.capacity + 1e-6).all()
        seen = max(seen, float((used / np.maximum(sites.capacity, 1.0)).max()))
    assert seen > 0.9  # somewhere the capacity is used up: the test could fail


@pytest.mark.parametrize("name", WORLDS)
def test_no_policy_passes_the_bound(name: str) -> None:
    world = batch(**{"jobs": 60, "envs": 1, "tail_jobs": 60, "load": 1.5, **WORLDS[name]})
    for seed in range(2):
        world.begin([(0, np.random.default_rng(seed))])
        bound = lower_bound(world, 0, iterations=60)
        assert 1.0 <= bound.alone <= bound.geometric_slowdown
        for rule in ("random", "fastest", "earliest_completion"):
            reached = play(world, policies.create(rule), [seed])[0]["geometric_slowdown"]
            assert reached >= bound.geometric_slowdown


def optimum_over_bound(worlds: int, load: float = 3.0) -> np.ndarray:
    """Least geometric slowdown of all plans of four jobs and five sites, over the bound."""
    plans = np.array(list(itertools.product(range(len(PLATFORM)), repeat=4)))
    every = batch(jobs=4, envs=len(plans), load=load)
    found = np.zeros(worlds)
    for seed in range(worlds):
        every.begin([(e, np.random.default_rng(seed)) for e in range(len(plans))])
        bound = lower_bound(every, 0, iterations=60)
        legal = np.ones(len(plans), bool)
        for sites in plans.T:
            may = every.simulator.mask[np.arange(len(plans)), sites] > 0
            legal &= may
            every.step(np.where(may, sites, every.simulator.mask[:, :5].argmax(axis=1)))
        least = min(ln_slowdowns(every.log(int(e))).mean() for e in np.flatnonzero(legal))
        found[seed] = np.exp(least) / bound.geometric_slowdown
    return found


def test_the_bound_is_never_above_the_best_of_all_plans() -> None:
    ratio = optimum_over_bound(6)
    assert (ratio >= 1.0).all()
    assert np.median(ratio) < 1.1


@pytest.mark.long
def test_the_bound_is_never_above_the_best_of_all_plans_in_100_worlds() -> None:
    assert (optimum_over_bound(100) >= 1.0).all()


def test_a_bound_after_a_decision_is_refused() -> None:
    world = batch(envs=1)
    world.begin([(0, np.random.default_rng(0))])
    world.step(np.array([int(world.simulator.mask[0].argmax())]))
    with pytest.raises(PolicyError, match="before its first decision"):
        lower_bound(world, 0)
