"""One network for every environment: permutations move its scores, and it begins as a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN, PPO

import panda_gym
from panda_gym import sb3, sb3_vec_env
from panda_gym.environments.base.pair_network import NEVER, PairActorCritic
from panda_gym.environments.workflow import policies
from panda_gym.errors import PolicyError
from tests.panda_gym.placements import small

SITES = {"platform": "small15", "workflow": "random:layered", "plan": "heft"}
SETTINGS: dict[str, dict[str, Any]] = {
    "PandaGrid/DataPlacement-v0": small(jobs=9, storage=True),
    "PandaGrid/Pipelines-v0": {"models": 4, "days": 2.0},
    "PandaGrid/Placement-v0": small(jobs=9),
}
PAIRED = {"PandaGrid/Workflow-v0": SITES, "PandaGrid/Pipelines-v0": {"models": 4}}
SHORT = {"n_steps": 8, "batch_size": 16, "n_epochs": 1, "seed": 0, "device": "cpu"}
LONG = {"n_steps": 128, "batch_size": 256, "n_epochs": 4, "seed": 0, "device": "cpu"}
GAMMA = {"PandaGrid/Workflow-v0": 1.0, "PandaGrid/Pipelines-v0": 0.99}


@pytest.fixture(params=sorted(panda_gym.ENVIRONMENTS))
def env_id(request):
    return request.param


def parts(observation: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(part, dtype=torch.float32) for name, part in observation.items()}


@pytest.mark.parametrize("learner", [MaskablePPO, PPO])
def test_policy_kwargs_is_one_line_for_every_environment(env_id, learner, tmp_path):
    env = sb3_vec_env(2, env_id, seed=0, **SETTINGS.get(env_id, {}))
    kwargs = sb3.policy_kwargs(hidden=8)
    model = learner("MultiInputPolicy", env, policy_kwargs=kwargs, **SHORT)
    before = [one.clone() for one in model.policy.parameters()]
    model.learn(16)
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    seen = env.reset()
    logits, value = model.policy.features_extractor.network(parts(seen))
    assert ((logits > NEVER / 2).numpy() == env.action_masks()).all()
    torch.testing.assert_close(model.policy.predict_values(parts(seen))[:, 0], value)
    model.save(tmp_path / "model")
    again = learner.load(tmp_path / "model", device="cpu")
    actions = (one.predict(seen, deterministic=True)[0] for one in (model, again))
    np.testing.assert_array_equal(*actions)


@pytest.mark.parametrize("env_id", PAIRED)
def test_action_values_learn_too(env_id):
    env = sb3_vec_env(2, env_id, seed=0, **PAIRED[env_id])
    few = {"learning_starts": 8, "buffer_size": 32, "batch_size": 8}
    DQN("MultiInputPolicy", env, policy_kwargs=sb3.policy_kwargs(), **few).learn(16)


@pytest.mark.long
def test_greedy_play_is_better_than_random_after_few_decisions(env_id):
    settings = SETTINGS.get(env_id, {})
    env = sb3_vec_env(8, env_id, seed=1_000_000, **settings)
    gamma = GAMMA.get(env_id, 0.0)
    kwargs = {"policy_kwargs": sb3.policy_kwargs(), "gamma": gamma, **LONG}
    model = MaskablePPO("MultiInputPolicy", env, **kwargs).learn(4_096)
    rng = np.random.default_rng(0)

    def greedy(seen: Any, masks: np.ndarray) -> np.ndarray:
        return model.predict(seen, action_masks=masks, deterministic=True)[0]

    def chance(seen: Any, masks: np.ndarray) -> np.ndarray:
        space = env.action_space
        sizes = getattr(space, "nvec", [getattr(space, "n", 0)])
        split = np.split(masks, np.cumsum(sizes)[:-1], axis=1)
        drawn = [[rng.choice(np.flatnonzero(one)) for one in part] for part in split]
        return np.array(drawn).T.reshape(len(masks), *space.shape)

    assert returns(env_id, settings, greedy).mean() > returns(env_id, settings, chance).mean()


def returns(env_id: str, settings: dict[str, Any], act: Any) -> np.ndarray:
    """Return of the first episode of each of 16 held-out worlds."""
    env = sb3_vec_env(16, env_id, seed=1_000, **settings)
    seen, total, running = env.reset(), np.zeros(16), np.ones(16, dtype=bool)
    while running.any():
        seen, rewards, done, _ = env.step(act(seen, env.action_masks()))
        total += np.where(running, rewards, 0.0)
        running &= ~done
    return total


@pytest.mark.parametrize("env_id", PAIRED)
def test_a_permutation_of_rows_and_columns_moves_the_scores(env_id):
    env = sb3_vec_env(3, env_id, seed=1, **PAIRED[env_id])
    seen = parts(env.reset())
    network = sb3.actor_critic(env, hidden=16)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=torch.manual_seed(0))
    rows, columns, _ = network.parts
    n, m = seen[rows].shape[2], seen[columns].shape[2]
    of_rows, of_columns = torch.randperm(n), torch.randperm(m)

    def permuted(scores: torch.Tensor) -> torch.Tensor:
        pairs = scores[:, :-1].reshape(3, n, m)[:, of_rows][:, :, of_columns]
        return torch.cat([pairs.flatten(1), scores[:, -1:]], dim=1)

    moved = {**seen, "action_mask": permuted(seen["action_mask"])}
    moved[rows], moved[columns] = seen[rows][:, :, of_rows], seen[columns][:, :, of_columns]
    if "pairs" in seen:
        moved["pairs"] = seen["pairs"][:, :, of_rows][:, :, :, of_columns]
    (scores, value), (other, same) = network(seen), network(moved)
    torch.testing.assert_close(other, permuted(scores))
    torch.testing.assert_close(same, value)


@pytest.mark.parametrize(
    ("settings", "rule", "least"),
    [({}, "upward_rank", 0.8), ({**SITES, "plan": None}, "upward_rank_earliest_finish", 0.6)],
)
def test_workflows_start_from_upward_rank_and_earliest_finish(settings, rule, least):
    env = sb3_vec_env(4, "PandaGrid/Workflow-v0", seed=0, **settings)
    network, policy, agreed = sb3.actor_critic(env), policies.create(rule), []
    observation, rng = env.reset(), np.random.default_rng(0)
    for _ in range(20):
        logits, _ = network(parts(observation))
        expected = policy(observation, rng)
        agreed.append(logits.argmax(dim=1).numpy() == expected)
        observation, *_ = env.step(expected)
    assert np.mean(agreed) > least


def test_errors_say_what_to_change():
    env = sb3_vec_env(1, "PandaGrid/Workflow-v0", observation="flat")
    with pytest.raises(PolicyError, match='observation="dict"'):
        sb3.actor_critic(env)
    with pytest.raises(PolicyError, match="a dictionary"):
        PairActorCritic(env.observation_space)
    pairs = sb3_vec_env(1, "PandaGrid/Pipelines-v0")
    with pytest.raises(PolicyError, match="hidden="):
        sb3.actor_critic(pairs, critic=3)
