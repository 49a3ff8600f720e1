"""The scorer as sb3-contrib sees it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from panda_gym.environments.placement.policies.scorer import ScorerShape
from panda_gym.training.sb3_policy import SiteScorerPolicy
from tests.oracles.observations import observation


def policy_for(sites: int) -> SiteScorerPolicy:
    space = spaces.Dict(
        {
            part: spaces.MultiBinary(sites)
            if part == "action_mask"
            else spaces.Box(-np.inf, np.inf, value.shape[1:], np.float32)
            for part, value in observation(0, sites=sites).items()
        }
    )
    shape, actions = ScorerShape(8, 8), spaces.Discrete(sites)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SiteScorerPolicy(space, actions, lambda _: 1e-3, shape=shape)


@pytest.fixture
def policy() -> SiteScorerPolicy:
    return policy_for(12)


def test_probabilities_are_the_softmax_of_the_scores_of_legal_sites(
    policy: SiteScorerPolicy,
) -> None:
    batch = {part: torch.as_tensor(value) for part, value in observation(1).items()}
    mask = batch["action_mask"].bool()
    parts = (batch[part] for part in ("sites", "job", "grid", "action_mask"))
    scores, value = policy.scorer(*parts)
    expected = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=1)
    distribution = policy.get_distribution(batch, action_masks=mask.numpy())
    torch.testing.assert_close(distribution.distribution.probs, expected, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(policy.predict_values(batch)[:, 0], value)


def test_masked_sites_are_never_drawn(policy: SiteScorerPolicy) -> None:
    for seed in range(10):
        batch = observation(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            sites, _ = policy.predict(batch, action_masks=batch["action_mask"])
        assert batch["action_mask"][np.arange(5), sites].all()


def test_weights_are_the_same_for_any_number_of_sites(policy: SiteScorerPolicy) -> None:
    others = policy_for(7).state_dict()
    for name, weight in policy.state_dict().items():
        torch.testing.assert_close(weight, others[name])


def test_the_optimiser_moves_the_scorer_and_nothing_else(policy: SiteScorerPolicy) -> None:
    moved = {id(w) for group in policy.optimizer.param_groups for w in group["params"]}
    assert moved == {id(weight) for weight in policy.scorer.parameters()}
