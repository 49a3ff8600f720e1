"""What policies remember, and what they need not say."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.errors import PolicyError
from tests.oracles.observations import observation


def test_round_robin_goes_round_the_legal_sites() -> None:
    policy, rng = policies.create("round_robin"), np.random.default_rng(0)
    batch = observation(0, envs=1, sites=4)
    batch["action_mask"][:] = [[1, 0, 1, 1]]
    assert [policy.act(batch, rng) for _ in range(5)] == [0, 2, 3, 0, 2]
    policy.reset(1)
    assert policy.act(batch, rng) == 0


def test_another_batch_size_needs_a_reset() -> None:
    policy, rng = policies.create("round_robin"), np.random.default_rng(0)
    policy(observation(0), rng)
    with pytest.raises(PolicyError, match=r"reset\(2\)"):
        policy(observation(0, envs=2), rng)


def test_a_policy_of_ones_own_may_leave_its_probabilities_unsaid() -> None:
    class First(Memoryless):
        def choose(self, view: PlacementView, rng: np.random.Generator) -> np.ndarray:
            return view.mask.argmax(axis=1)

    policy, seen = First(), observation(0)
    assert policy(seen, np.random.default_rng(0)).shape == (5,)
    with pytest.raises(PolicyError, match="states its probabilities"):
        policy.action_probabilities(PlacementView(seen), np.random.default_rng(0))
