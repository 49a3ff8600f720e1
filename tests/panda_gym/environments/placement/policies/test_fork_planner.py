"""Planners on forks: they beat a bad base rule, foretell nothing, and leave the grid as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking.episodes import play
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.fork_planner import ForkPlanner
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from tests.oracles.observations import observation
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(5)
NAMES = ("rollout", "shooting")


def batch(envs: int, **changes: Any) -> PlacementBatch:
    settings = {
        "platform": PLATFORM, "stream": make_stream(PLATFORM, jobs=200), "scale": 1.0,
        "jobs": 20, "warmup": 10, "running": 0, "load": 2.5, **changes,
    }  # fmt: skip
    return PlacementBatch(Scenario.of(**settings), envs)


def slowdown(policy: policies.Policy) -> float:
    measured = play(batch(3), policy, range(3))
    return float(np.mean([np.log(one["geometric_slowdown"]) for one in measured]))


@pytest.mark.parametrize("name", NAMES)
def test_a_planner_is_better_than_the_bad_rule_that_it_starts_from(name: str) -> None:
    planner = policies.create(name, base="fastest", candidates=3, horizon=2, forks=1)
    assert slowdown(planner) < slowdown(policies.create("fastest")) - 0.05


@pytest.mark.parametrize("name", NAMES)
def test_a_planner_sees_forks_alone_and_changes_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grids, seeds = batch(2), []
    grids.begin((e, np.random.default_rng(e)) for e in range(2))
    fork = PlacementBatch.fork

    def spy(self: PlacementBatch, seed: int) -> PlacementBatch:
        seeds.append(seed)
        return fork(self, seed)

    monkeypatch.setattr(PlacementBatch, "fork", spy)
    before = {part: rows.copy() for part, rows in grids.observe().items()}
    planner = policies.create(name)
    planner.reset(2)
    planner.attach(grids)
    sites = planner(grids.observe(), np.random.default_rng(0))
    assert len(set(seeds)) == 2
    again = policies.create(name)
    again.attach(grids)
    np.testing.assert_array_equal(sites, again(grids.observe(), np.random.default_rng(0)))
    for part, rows in grids.observe().items():
        np.testing.assert_array_equal(rows, before[part])


@pytest.mark.parametrize("name", NAMES)
def test_without_a_batch_a_planner_is_its_base_rule(name: str) -> None:
    shown = PlacementView(observation(0))
    mine = policies.create(name).choose(shown, np.random.default_rng(1))
    rule = policies.create("earliest_completion").choose(shown, np.random.default_rng(1))
    np.testing.assert_array_equal(mine, rule)


@pytest.mark.parametrize("name", NAMES)
def test_plans_begin_with_the_rule_and_stay_among_the_candidates(name: str) -> None:
    planner = policies.create(name, candidates=3, horizon=4)
    assert isinstance(planner, ForkPlanner)
    plans = planner.plans(np.random.default_rng(0))
    assert plans.shape[1] == 5
    assert not plans[0].any()
    assert (plans >= 0).all()
    assert (plans < 3).all()


@pytest.mark.parametrize(
    "config", [{"candidates": 0}, {"horizon": -1}, {"forks": True}, {"base": "random"}]
)
def test_a_bad_setting_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match=f"{next(iter(config))} "):
        policies.create("rollout", **config)


def test_several_decisions_at_once_are_refused() -> None:
    with pytest.raises(PolicyError, match="one placement at a time"):
        policies.create("rollout").attach(batch(1, decisions=2))
