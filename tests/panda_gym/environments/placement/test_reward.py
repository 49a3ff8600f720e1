"""Rewards and costs are what their formulas say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from panda_gym.environments.placement import cost, reward
from panda_gym.errors import SettingError
from panda_gym.simulator.state import OUTCOME


@pytest.fixture
def outcome() -> np.ndarray:
    rows = np.zeros(3, OUTCOME)
    rows["wait_pred"], rows["transfer"], rows["run_pred"] = [0, 100, 5000], [0, 20, 40], [50, 60, 9]
    rows["wait_true"], rows["run_true"] = [10, 0, 900], [4000, 5, 1200]
    rows["ideal_pred"], rows["ideal_true"] = [40, 50, 9], [3000, 5, 700]
    rows["area"], rows["ended_ln"], rows["ended_gflop"] = [3600, 0, 9000], [1, 0, 2.5], [1e5, 0, 3]
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
