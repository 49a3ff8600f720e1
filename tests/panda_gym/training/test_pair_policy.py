"""The pair network: a permutation moves its scores, and learning starts from rules of thumb."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO

from panda_gym import sb3_vec_env
from panda_gym.environments.base.pair_network import PairActorCritic
from panda_gym.environments.workflow import policies
from panda_gym.errors import PolicyError
from panda_gym.training.pair_policy import PairPolicy, start_of

IDS = {"PandaGrid/Workflow-v0": {"platform": "small15", "workflow": "random:layered"},
       "PandaGrid/Pipelines-v0": {"models": 4}}  # fmt: skip


@pytest.mark.parametrize("env_id", IDS)
def test_a_permutation_of_rows_and_columns_moves_the_scores(env_id):
    env = sb3_vec_env(3, env_id, seed=1, **IDS[env_id])
    seen = {name: torch.tensor(part, dtype=torch.float32) for name, part in env.reset().items()}
    network = PairActorCritic(env.observation_space, 16, start_of(env.observation_space))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    rows, columns, _ = network.parts
    n, m = seen[rows].shape[2], seen[columns].shape[2]
    of_rows, of_columns = torch.randperm(n), torch.randperm(m)
    moved = dict(seen)
    moved[rows], moved[columns] = seen[rows][:, :, of_rows], seen[columns][:, :, of_columns]
    if "pairs" in seen:
        moved["pairs"] = seen["pairs"][:, :, of_rows][:, :, :, of_columns]
    (scores, value), (other, same) = network(seen), network(moved)
    expected = scores[:, :-1].reshape(3, n, m)[:, of_rows][:, :, of_columns].flatten(1)
    torch.testing.assert_close(other[:, :-1], expected)
    torch.testing.assert_close(other[:, -1], scores[:, -1])
    torch.testing.assert_close(same, value)


def test_workflows_start_from_upward_rank_and_an_agent_learns():
    env = sb3_vec_env(4, "PandaGrid/Workflow-v0", seed=0)
    model = MaskablePPO(PairPolicy, env, n_steps=16, batch_size=64, n_epochs=1, seed=0)
    rule, rng = policies.create("upward_rank"), np.random.default_rng(0)
    observation, agreed = env.reset(), []
    for _ in range(20):
        masks = env.action_masks()
        actions, _ = model.predict(observation, action_masks=masks, deterministic=True)
        assert masks[np.arange(4), actions].all()
        agreed.append(actions == rule(observation, rng))
        observation, *_ = env.step(actions)
    assert np.mean(agreed) > 0.8
    before = [one.clone() for one in model.policy.parameters()]
    model.learn(64)
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))


def test_flat_observations_are_refused():
    env = sb3_vec_env(1, "PandaGrid/Workflow-v0", observation="flat")
    with pytest.raises(PolicyError, match="a dictionary"):
        PairActorCritic(env.observation_space)
