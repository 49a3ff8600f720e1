"""Rollouts relabelled with difference rewards: the costs of the episodes as they were played."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation
from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import VecMonitor

from panda_gym.credit.external_cost import external_costs, own_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.environments.sb3 import sb3_vec_env
from panda_gym.errors import PolicyError
from panda_gym.training import (
    DifferenceRewardCallback,
    SettledDictReplayBuffer,
    SettledReplayBuffer,
)
from tests.panda_gym.placements import small

JOBS, ENVS, SEED = 16, 2, 5
SETTINGS: dict[str, Any] = small(jobs=JOBS, warmup=40, load=1.3)


class Kept(BaseCallback):
    """Copies of every rollout's rewards, actions, values, returns and advantages."""

    def __init__(self) -> None:
        super().__init__()
        self.rollouts: list[dict[str, np.ndarray]] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        buffer = self.model.rollout_buffer
        names = ("rewards", "actions", "values", "returns", "advantages")
        self.rollouts.append({name: getattr(buffer, name).copy() for name in names})


def learned(learner: Any, n_steps: int, rollouts: int, **given: Any) -> list[dict[str, np.ndarray]]:
    """Rollouts of a learner with the callback."""
    env, kept = VecMonitor(sb3_vec_env(ENVS, **SETTINGS)), Kept()
    model = learner("MultiInputPolicy", env, n_steps=n_steps, gamma=0.0, seed=SEED, **given)
    callbacks = CallbackList([DifferenceRewardCallback(external_weight=0.5), kept])
    model.learn(rollouts * n_steps * ENVS, callback=callbacks)
    return kept.rollouts


def charged(actions: np.ndarray, generators: list[np.random.Generator]) -> np.ndarray:
    """Difference rewards of the decisions of episodes that take the actions [T, E] again."""
    batch = PlacementBatch(Scenario.of(**SETTINGS), ENVS)
    batch.begin(enumerate(generators))
    rows = np.zeros(actions.shape, dtype=int)
    for step in range(len(actions)):
        rows[step] = batch.simulator.pending[:, 0]
        batch.step(actions[step])
    rewards = np.zeros(actions.shape)
    for e in range(ENVS):
        log = batch.log(e)
        cost = own_costs(log) + 0.5 * np.minimum(external_costs(batch.simulator, e, log), 10.0)
        rewards[:, e] = -cost[rows[:, e]]
    return rewards


@pytest.mark.parametrize("learner", [MaskablePPO, PPO, A2C])
def test_rollouts_of_whole_episodes_hold_the_costs_of_the_episodes(learner: Any) -> None:
    given = {} if learner is A2C else {"batch_size": 8, "n_epochs": 1}
    rollouts = learned(learner, JOBS, 2, **given)
    generators = [np.random.default_rng(SEED + e) for e in range(ENVS)]
    for rollout in rollouts:
        actions = rollout["actions"].reshape(JOBS, ENVS).astype(int)
        expected = charged(actions, generators)
        np.testing.assert_allclose(rollout["rewards"], expected, rtol=1e-6)
        assert (expected < 0.0).any()
        np.testing.assert_allclose(rollout["returns"], expected, rtol=1e-5, atol=1e-6)
        advantages = expected - rollout["values"]
        np.testing.assert_allclose(rollout["advantages"], advantages, rtol=1e-5, atol=1e-5)


def test_parts_of_episodes_hold_the_own_costs_of_the_whole() -> None:
    """Where jobs start in order and transfers share nothing, later jobs change no own cost."""
    env, kept = sb3_vec_env(ENVS, **SETTINGS), Kept()
    model = MaskablePPO("MultiInputPolicy", env, n_steps=4, batch_size=8, n_epochs=1, seed=SEED)
    model.learn(
        JOBS * ENVS, callback=CallbackList([DifferenceRewardCallback(external_weight=0.0), kept])
    )
    actions = np.concatenate([one["actions"].reshape(4, ENVS) for one in kept.rollouts])
    rewards = np.concatenate([one["rewards"] for one in kept.rollouts])
    batch = PlacementBatch(Scenario.of(**SETTINGS), ENVS)
    batch.begin((e, np.random.default_rng(SEED + e)) for e in range(ENVS))
    rows = np.zeros((JOBS, ENVS), dtype=int)
    for step in range(JOBS):
        rows[step] = batch.simulator.pending[:, 0]
        batch.step(actions[step].astype(int))
    for e in range(ENVS):
        np.testing.assert_allclose(rewards[:, e], -own_costs(batch.log(e))[rows[:, e]], rtol=1e-6)


@pytest.mark.parametrize(
    ("learner", "changes", "word"),
    [(DQN, {}, "SettledReplayBuffer"), (PPO, {"discipline": "easy"}, "first come, first served")],
)
def test_other_learners_and_queues_are_refused(
    learner: Any, changes: dict[str, Any], word: str
) -> None:
    given = {"buffer_size": 100} if learner is DQN else {"n_steps": 4, "batch_size": 8}
    model = learner("MultiInputPolicy", sb3_vec_env(ENVS, **SETTINGS, **changes), **given)
    with pytest.raises(PolicyError, match=word):
        model.learn(8, callback=DifferenceRewardCallback())


def flat_dqn(env: Any, **given: Any) -> DQN:
    """DQN on flat observations whose replay buffer holds settled decisions."""
    settings = {"buffer_size": 400, "learning_starts": 3 * JOBS * ENVS, "train_freq": 4}
    return DQN(
        "MlpPolicy",
        env,
        replay_buffer_class=SettledReplayBuffer,
        gamma=0.0,
        seed=SEED,
        batch_size=16,
        policy_kwargs={"net_arch": [16]},
        **{**settings, **given},
    )


def test_the_replay_of_dqn_holds_the_costs_of_the_episodes() -> None:
    """In a buffer that wraps: what is settled is charged as if played again by itself."""
    env = sb3_vec_env(ENVS, observation="flat", **SETTINGS)
    model = flat_dqn(env, buffer_size=5 * JOBS * ENVS)
    model.learn(7 * JOBS * ENVS, callback=DifferenceRewardCallback(external_weight=0.5))
    buffer, generators = model.replay_buffer, [np.random.default_rng(SEED + e) for e in range(ENVS)]
    assert isinstance(buffer, SettledReplayBuffer)
    assert buffer.settled.all()
    for episode in range(7):
        first = episode % 5 * JOBS
        actions = buffer.actions[first : first + JOBS, :, 0].astype(int)
        expected = charged(actions, generators)
        if episode >= 2:  # the first two are overwritten
            np.testing.assert_allclose(buffer.rewards[first : first + JOBS], expected, rtol=1e-5)
    assert model._n_updates > 10
    model.learn(4 * ENVS, callback=DifferenceRewardCallback(), reset_num_timesteps=False)
    assert (~buffer.settled).sum() == 4 * ENVS


class Restart(BaseCallback):
    """Resets all episodes before step `at`."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.n_calls == self.at:
            self.model._last_obs = self.training_env.reset()


def test_a_reset_in_the_middle_settles_what_was_decided_before() -> None:
    """The job at hand was not placed; the next decision is that of the episode that begins."""
    model, half = flat_dqn(sb3_vec_env(ENVS, observation="flat", **SETTINGS)), JOBS // 2
    callbacks = CallbackList([Restart(half), DifferenceRewardCallback(external_weight=0.5)])
    model.learn((half + JOBS) * ENVS, callback=callbacks)
    buffer, generators = model.replay_buffer, [np.random.default_rng(SEED + e) for e in range(ENVS)]
    assert isinstance(buffer, SettledReplayBuffer)
    assert buffer.settled.sum() == (half + JOBS) * ENVS
    for steps in (slice(half), slice(half, half + JOBS)):
        expected = charged(buffer.actions[steps, :, 0].astype(int), generators)
        np.testing.assert_allclose(buffer.rewards[steps], expected, rtol=1e-5)


def test_dqn_learns_from_single_environments_behind_wrappers() -> None:
    """FlattenObservation, Monitor and DummyVecEnv, as SB3 makes them of a single environment."""
    single = FlattenObservation(gymnasium.make("PandaGrid/Placement-v0", **SETTINGS))
    model = flat_dqn(single, learning_starts=2 * JOBS)
    first = model.policy.state_dict()["q_net.q_net.0.weight"].clone()
    model.learn(300, callback=DifferenceRewardCallback("mean_turnaround"))
    buffer = model.replay_buffer
    assert isinstance(buffer, SettledReplayBuffer)
    assert buffer.settled.sum() == 300 // JOBS * JOBS
    assert (buffer.rewards[: 300 // JOBS * JOBS] < 0.0).all()
    assert not first.equal(model.policy.state_dict()["q_net.q_net.0.weight"])
    assert np.isfinite(model.predict(model._last_obs)[0]).all()


def test_learning_before_an_episode_has_ended_is_one_clear_error() -> None:
    model = flat_dqn(sb3_vec_env(ENVS, observation="flat", **SETTINGS), learning_starts=0)
    with pytest.raises(PolicyError, match="learning_starts"):
        model.learn(100, callback=DifferenceRewardCallback())


def test_dictionaries_are_relabelled_too() -> None:
    env = sb3_vec_env(ENVS, **SETTINGS)
    model = DQN(
        "MultiInputPolicy",
        env,
        replay_buffer_class=SettledDictReplayBuffer,
        buffer_size=500,
        learning_starts=JOBS * ENVS,
        gamma=0.0,
    )
    model.learn(JOBS * ENVS + 8, callback=DifferenceRewardCallback())
    assert model.replay_buffer.settled.sum() == JOBS * ENVS  # type: ignore[union-attr]


def test_the_hook_is_removed_after_training() -> None:
    env = sb3_vec_env(ENVS, **SETTINGS)
    model = PPO("MultiInputPolicy", env, n_steps=4, batch_size=8, n_epochs=1)
    model.learn(8, callback=DifferenceRewardCallback())
    assert env.batch.on_end is None
