"""The network of `policy_kwargs` in the learners of stable-baselines3 and sb3-contrib."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C, DQN, PPO

import panda_gym
from panda_gym import sb3
from panda_gym.environments.placement.policies.earliest_completion import EarliestCompletion
from panda_gym.errors import PolicyError
from tests.panda_gym.placements import small

FORMS = [{}, {"defer": True}, {"decisions": 3}, {"data_actions": True, "defer": True}]
LEARNERS = {
    MaskablePPO: {"n_steps": 16, "batch_size": 16, "n_epochs": 1},
    PPO: {"n_steps": 16, "batch_size": 16, "n_epochs": 1},
    A2C: {"n_steps": 16},
    DQN: {"learning_starts": 8, "buffer_size": 64, "batch_size": 16},
}


def model_of(learner: Any, **settings: Any) -> Any:
    env = panda_gym.sb3_vec_env(2, seed=0, **small(**settings))
    kwargs = {"policy_kwargs": sb3.policy_kwargs(hidden=8, critic=8), "seed": 0, "device": "cpu"}
    return learner("MultiInputPolicy", env, **LEARNERS[learner], **kwargs)


def parts(observation: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(part) for name, part in observation.items()}


def heads(model: Any) -> list[torch.Tensor]:
    policy = model.policy
    if isinstance(model, DQN):
        return [parameter.clone() for parameter in policy.q_net.q_net.parameters()]
    layers = (*policy.action_net.parameters(), *policy.value_net.parameters())
    return [parameter.clone() for parameter in layers]


@pytest.mark.parametrize("learner", LEARNERS)
def test_learners_learn_all_but_the_last_layers(learner, tmp_path):
    model = model_of(learner)
    fixed = heads(model)
    before = [parameter.clone() for parameter in model.policy.parameters()]
    model.learn(64)
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    for a, b in zip(fixed, heads(model), strict=True):
        torch.testing.assert_close(a, b, rtol=0.0, atol=0.0)
    model.save(tmp_path / "model")
    again, seen = learner.load(tmp_path / "model", device="cpu"), model.env.reset()
    expected = model.predict(seen, deterministic=True)[0]
    np.testing.assert_array_equal(again.predict(seen, deterministic=True)[0], expected)


@pytest.mark.parametrize("learner", [MaskablePPO, PPO])
def test_the_first_policy_is_that_of_earliest_completion(learner):
    model, rng = model_of(learner), np.random.default_rng(0)
    seen = model.env.reset()
    for _ in range(10):
        expected = EarliestCompletion()(seen, rng)
        assert (model.predict(seen, deterministic=True)[0] == expected).all()
        seen, *_ = model.env.step(
            np.array([rng.choice(np.flatnonzero(m)) for m in seen["action_mask"]])
        )


@pytest.mark.parametrize("form", FORMS)
def test_logits_and_values_of_the_policy_are_those_of_the_network(form):
    model = model_of(MaskablePPO, **form)
    seen = model.env.reset()
    network = model.policy.features_extractor.network
    logits, value = network(parts(seen))
    assert logits.shape == model.env.action_masks().shape
    assert ((logits > -1e7).numpy() == model.env.action_masks()).all()
    features = model.policy.extract_features(parts(seen))
    torch.testing.assert_close(model.policy.action_net(features), logits)
    torch.testing.assert_close(model.policy.predict_values(parts(seen))[:, 0], value)


def test_a_permutation_of_the_sites_permutes_the_scores():
    env = panda_gym.sb3_vec_env(3, seed=0, **small(data_actions=True, defer=True))
    network, seen = sb3.SiteActorCritic.of(env), parts(env.reset())
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=torch.manual_seed(1))
    order = torch.randperm(10, generator=torch.manual_seed(0))
    both = torch.cat([order, torch.tensor([10, 11]), 12 + order, 22 + order])
    moved = {
        **seen,
        "sites": seen["sites"][:, :, order],
        "action_mask": seen["action_mask"][:, both],
    }
    logits, value = network(seen)
    permuted, same = network(moved)
    torch.testing.assert_close(permuted, logits[:, both])
    torch.testing.assert_close(same, value)


def test_sites_that_are_not_candidates_keep_their_first_scores():
    env = panda_gym.sb3_vec_env(3, seed=0, **small())
    few = sb3.SiteActorCritic.of(env, sb3.NetworkShape(candidates=4))
    seen = parts(env.reset())
    before, _ = few(seen)
    torch.nn.init.ones_(few.site_out.bias)
    after, _ = few(seen)
    assert ((after - before) > 0.9).sum(dim=1).tolist() == [4, 4, 4]


def test_errors_say_what_to_change():
    flat = panda_gym.sb3_vec_env(1, observation="flat", **small())
    with pytest.raises(PolicyError, match='observation="dict"'):
        sb3.SiteActorCritic.of(flat)
    env = panda_gym.sb3_vec_env(1, **small())
    with pytest.raises(PolicyError, match="drop net_arch="):
        PPO("MultiInputPolicy", env, policy_kwargs={**sb3.policy_kwargs(), "net_arch": [8]})
