"""Rewards and costs are what their formulas say."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from panda_gym.credit.external_cost import own_costs
from panda_gym.environments.placement import cost, reward
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.errors import SettingError
from panda_gym.simulator.state import OUTCOME
from tests.oracles.worlds import make_platform, make_stream
from tests.panda_gym.placements import ROUGH, small


@pytest.fixture
def outcome() -> np.ndarray:
    rows = np.zeros(3, OUTCOME)
    rows["wait_pred"], rows["transfer"], rows["run_pred"] = [0, 100, 5000], [0, 20, 40], [50, 60, 9]
    rows["wait_true"], rows["run_true"] = [10, 0, 900], [4000, 5, 1200]
    rows["ideal_pred"], rows["ideal_true"] = [40, 50, 9], [3000, 5, 700]
    rows["area"], rows["ended_ln"], rows["ended_gflop"] = [3600, 0, 9000], [1, 0, 2.5], [1e5, 0, 3]
    rows["expected_ln"] = [0.5, 0, -0.25]
    rows["illegal"], rows["wan_bytes"] = [0, 1, 0], [0, 2e12, 5e11]
    return rows


def slowdown(wait: float, run: float, ideal: float) -> float:
    return max(1.0, (wait + run) / max(ideal, 600.0))


def test_rewards_are_their_formulas(outcome):
    expected = [-math.log(slowdown(*x)) for x in [(0, 50, 40), (120, 60, 50), (5040, 9, 9)]]
    np.testing.assert_allclose(reward.predicted(outcome, 600.0), expected)
    expected = [-math.log(slowdown(*x)) for x in [(10, 4000, 3000), (20, 5, 5), (940, 1200, 700)]]
    np.testing.assert_allclose(reward.true(outcome, 600.0), expected)
    np.testing.assert_allclose(reward.jobs_in_system(outcome, 600.0), [-1.0, 0.0, -2.5])
    np.testing.assert_allclose(reward.slowdown(outcome, 600.0), [-1.0, 0.0, -2.5])
    np.testing.assert_allclose(reward.shaped_slowdown(outcome, 600.0), [-0.5, 0.0, 0.25])
    np.testing.assert_allclose(reward.throughput(outcome, 600.0), [1.0, 0.0, 3e-5])


def test_costs_are_their_formulas(outcome):
    np.testing.assert_allclose(cost.illegal_action(outcome), [0, 1, 0])
    np.testing.assert_allclose(cost.wan_tb(outcome), [0, 2, 0.5])


def test_the_registries_lead_to_functions_of_outcomes(outcome):
    for name in reward.REWARDS:
        assert reward.create(name)(outcome, 600.0).shape == (3,)
    for function in cost.functions().values():
        assert (function(np.zeros(2, OUTCOME)) == 0.0).all()


def test_an_unknown_reward_names_the_nearest():
    with pytest.raises(SettingError, match="did you mean slowdown"):
        reward.create("slow_down")


def returns(env: PlacementEnv, actions: Any) -> float:
    """Return the sum of rewards of an episode in which `actions` names the sites in turn."""
    env.reset(seed=1)
    done, total = False, 0.0
    while not done:
        _, paid, _, done, _ = env.step(next(actions))
        total += paid
    return total


def test_shaping_changes_the_returns_of_all_policies_by_the_same_constant():
    """Every sequence of five placements on three sites, so every policy of the small world."""
    platform = make_platform(3, most_cores=4)
    world = {
        "platform": platform, "stream": make_stream(platform, jobs=60), "scale": 1.0, "jobs": 5,
        "warmup": 0, "running": 0, "load": 3.0, "competing": 0.3, "tail_jobs": 0,
    }  # fmt: skip
    plain, shaped = (PlacementEnv(**world, reward=f"{name}slowdown") for name in ("", "shaped_"))
    found = np.array(
        [
            [returns(env, iter(sites)) for env in (plain, shaped)]
            for sites in itertools.product(range(3), repeat=5)
        ]
    )
    assert len(np.unique(found[:, 0].round(6))) > 10
    np.testing.assert_allclose(np.diff(found, axis=1), 0.0, atol=1e-9)


@pytest.mark.parametrize("settings", [{}, ROUGH, {**ROUGH, "cancellations": True, "defer": True}])
def test_a_shaped_return_is_the_objective_of_the_benchmark(settings):
    env = PlacementEnv(**small(**settings, tail_jobs=40, reward="shaped_slowdown"))
    rng = np.random.default_rng(0)

    def draws() -> Any:
        while True:
            yield rng.choice(np.flatnonzero(env.action_masks()))

    total = returns(env, draws())
    log = env.episode_log(drain=False)
    assert total == pytest.approx(-own_costs(log)[log.judged].sum(), abs=1e-9)
