"""Fitted sites: weights of 0 are the earliest expected finish, others move sets as they say."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from panda_gym.environments.workflow import policies
from panda_gym.environments.workflow.policies.fitted import TERMS, FittedSites
from panda_gym.errors import PolicyError

SITES = 15


def seen(steps: int = 12):
    """Observations of three executions on fifteen sites."""
    settings = {"workflow": "random:layered", "platform": "small15"}
    envs = gymnasium.make_vec("PandaGrid/Workflow-v0", num_envs=3, **settings)
    rule, rng = policies.create("random"), np.random.default_rng(0)
    observation, _ = envs.reset(seed=2)
    for _ in range(steps):
        yield observation
        observation, *_ = envs.step(rule(observation, rng))


def test_weights_of_zero_are_the_earliest_finish():
    rule, rng = policies.create("upward_rank_earliest_finish"), np.random.default_rng(0)
    fitted = FittedSites(np.zeros(len(TERMS) + SITES))
    for observation in seen():
        np.testing.assert_array_equal(fitted(observation, rng), rule(observation, rng))


def test_each_execution_may_have_weights_of_its_own():
    weights = np.zeros((3, len(TERMS) + SITES))
    weights[1, len(TERMS) : -1] = 1e6  # every site but the last costs too much
    plain, fitted = FittedSites(weights[0]), FittedSites(weights)
    rng = np.random.default_rng(0)
    for observation in seen():
        ours, theirs = fitted(observation, rng), plain(observation, rng)
        np.testing.assert_array_equal(ours[[0, 2]], theirs[[0, 2]])
        last = observation["action_mask"][1, :-1].reshape(-1, SITES)[:, -1].any()
        assert not last or ours[1] % SITES == SITES - 1


@pytest.mark.parametrize("term", range(len(TERMS)))
def test_every_term_counts(term):
    weights = np.zeros(len(TERMS) + SITES)
    weights[term] = 30.0
    rng, differs = np.random.default_rng(0), 0
    plain, fitted = FittedSites(np.zeros_like(weights)), FittedSites(weights)
    for observation in seen(40):
        differs += int((fitted(observation, rng) != plain(observation, rng)).sum())
    assert differs > 0


def test_weights_of_another_platform_are_refused():
    with pytest.raises(PolicyError, match="23 weights"):
        FittedSites(np.zeros(7))(next(seen()), np.random.default_rng(0))
