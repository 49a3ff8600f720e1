"""PPO-Lagrangian against the optimum of a small CMDP that linear programming knows."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from scipy.optimize import linprog
from stable_baselines3.common.vec_env import DummyVecEnv

from panda_gym.errors import PolicyError
from panda_gym.training.ppo_lagrangian import Multiplier, PPOLagrangian

REWARD = np.array([[1.0, 0.2, 0.0], [0.6, 0.5, 0.0]])
COST = np.array([[1.0, 0.1, 0.0], [0.8, 0.2, 0.0]])
"""By state and action: the dearest action pays most, by how much depends on the state."""
LENGTH = 8


class Contexts(gymnasium.Env):
    """Two states that come by chance; what is paid depends on the state and the action."""

    observation_space = spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = 0
        return self._draw(), {"cost": 0.0}

    def _draw(self) -> np.ndarray:
        self.state = int(self.np_random.integers(2))
        return np.eye(2, dtype=np.float32)[self.state]

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, cost = REWARD[self.state, action], COST[self.state, action]
        self.at += 1
        return self._draw(), float(reward), False, self.at == LENGTH, {"cost": float(cost)}

    def action_masks(self) -> np.ndarray:
        return np.ones(3, dtype=bool)


def optimum(limit: float) -> float:
    """The greatest mean reward a step at a mean cost of at most `limit`."""
    each = np.kron(np.eye(2), np.ones((1, 3)))
    found = linprog(
        -REWARD.ravel() / 2, A_ub=COST.ravel()[None] / 2, b_ub=[limit], A_eq=each, b_eq=np.ones(2)
    )
    return float(-found.fun)


def learner(limit: float, **gains: float) -> PPOLagrangian:
    env = DummyVecEnv([Contexts] * 8)
    env.seed(0)
    return PPOLagrangian(
        "MlpPolicy",
        env,
        cost_limit=limit,
        gains=gains,
        n_steps=32,
        batch_size=256,
        n_epochs=8,
        gamma=0.0,
        learning_rate=5e-3,
        ent_coef=0.0,
        device="cpu",
        policy_kwargs={"net_arch": [16]},
    )


def law(agent: PPOLagrangian) -> np.ndarray:
    """Probability of every action in both states."""
    with torch.no_grad():
        return agent.policy.get_distribution(torch.eye(2)).distribution.probs.numpy()


@pytest.mark.parametrize("limit", [0.25, 0.6])
def test_it_comes_to_the_optimum_under_the_limit(limit: float) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        agent = learner(limit)
        agent.learn(256 * 60)
        laws = []
        for _ in range(20):
            agent.learn(256, reset_num_timesteps=False)
            laws.append(law(agent))
    mean = np.mean(laws, axis=0)
    cost, reward = float((mean * COST).sum() / 2), float((mean * REWARD).sum() / 2)
    assert cost == pytest.approx(limit, rel=0.1)
    assert reward == pytest.approx(optimum(limit), abs=0.05)


def test_a_limit_that_costs_nothing_changes_nothing() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        agent = learner(2.0)
        agent.learn(256 * 40)
    assert agent.multiplier.value == 0.0
    assert float((law(agent) * REWARD).sum() / 2) > 0.95 * optimum(2.0)


def test_a_price_of_nought_is_the_reward() -> None:
    reward, cost = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    free, dear = Multiplier(0.5), Multiplier(0.5, value=3.0)
    np.testing.assert_array_equal(free.penalised(reward, cost), reward)
    np.testing.assert_allclose(dear.penalised(reward, cost), (reward - 3.0 * cost / 0.5) / 4.0)


def test_the_multiplier_rises_above_the_limit_and_falls_below_it() -> None:
    one = Multiplier(1.0)
    values = []
    for cost in [2.0] * 10 + [0.5] * 60:
        one.update(cost)
        values.append(one.value)
    assert np.all(np.diff(values[1:10]) > 0)
    assert values[-1] == 0.0


def test_a_limit_out_of_reach_is_refused() -> None:
    one = Multiplier(1e-3, patience=10, maximum=0.3)

    def train() -> None:
        for _ in range(40):
            one.update(0.5)

    with pytest.raises(PolicyError, match="a cost limit that some policy reaches"):
        train()


def test_a_cost_that_still_falls_is_waited_for() -> None:
    one = Multiplier(1e-3, patience=10, maximum=0.3)
    for rollout in range(40):
        one.update(0.5 * 0.9**rollout)


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), "1"])
def test_a_limit_of_nothing_is_refused(limit: Any) -> None:
    with pytest.raises(PolicyError, match="cost limit above 0"):
        Multiplier(limit)


def test_a_restored_multiplier_goes_on_as_it_was() -> None:
    one, other = Multiplier(1.0), Multiplier(1.0)
    for cost in (2.0, 1.5, 0.7):
        one.update(cost)
    other.restore(one.state())
    one.update(1.2), other.update(1.2)
    assert one == other
