"""What every registered policy promises, by a walk through the registry."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies import Policy
from panda_gym.errors import PolicyError
from tests.oracles.observations import observation, one, permuted


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a policy cannot be made without."""
    torch = pytest.importorskip("torch")
    from panda_gym.environments.placement.policies.learned import save_agent
    from panda_gym.environments.placement.policies.scorer import SiteScorer

    folder: Path = tmp_path_factory.mktemp("agents") / "agent"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_agent(folder, SiteScorer(), {})
    return {"learned": {"folder": folder}}


@pytest.fixture(params=policies.names())
def policy(request: pytest.FixtureRequest, settings: dict[str, dict[str, Any]]) -> Policy:
    return policies.create(request.param, **settings.get(request.param, {}))


class PermutedGenerator:
    """A generator whose uniforms belong to sites and move with them."""

    def __init__(self, seed: int, order: np.ndarray) -> None:
        self.rng, self.order = np.random.default_rng(seed), order

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.random(shape)[..., self.order]


def test_names_are_the_registry_in_order() -> None:
    assert list(policies.names()) == sorted(policies.REGISTRY)


def test_policy_is_final_with_a_docstring(policy: Policy) -> None:
    assert inspect.getdoc(type(policy))
    assert not inspect.isabstract(type(policy))


def test_policy_answers_legal_sites_as_int64(policy: Policy) -> None:
    for seed in range(20):
        batch = observation(seed)
        policy.reset(5)
        sites = policy(batch, np.random.default_rng(seed))
        assert sites.shape == (5,)
        assert sites.dtype == np.int64
        assert batch["action_mask"][np.arange(5), sites].all()


def test_policy_takes_the_only_legal_site(policy: Policy) -> None:
    batch = observation(3)
    batch["action_mask"][:] = 0
    batch["action_mask"][:, 7] = 1
    policy.reset(5)
    assert (policy(batch, np.random.default_rng(0)) == 7).all()


def test_policy_leaves_the_observation_as_it_was(policy: Policy) -> None:
    batch = observation(4)
    before = {part: value.copy() for part, value in batch.items()}
    policy.reset(5)
    policy(batch, np.random.default_rng(0))
    for part, value in before.items():
        np.testing.assert_array_equal(batch[part], value)


def test_same_seed_same_choice(policy: Policy) -> None:
    def answers() -> list[list[int]]:
        rng = np.random.default_rng(11)
        policy.reset(5)
        return [policy(observation(seed), rng).tolist() for seed in range(6)]

    assert answers() == answers()


def test_a_batch_is_its_members_in_turn(policy: Policy) -> None:
    for seed in range(10):
        batch = observation(seed)
        policy.reset(5)
        together = policy(batch, np.random.default_rng(seed)).tolist()
        rng, apart = np.random.default_rng(seed), []
        for env in range(5):
            policy.reset(1)
            apart.append(policy.act(one(batch, env), rng))
        assert together == apart


def test_a_permutation_of_sites_permutes_the_choice(policy: Policy) -> None:
    if not policy.equivariant:
        pytest.skip("the policy goes by the order of the sites")
    for seed in range(10):
        batch = observation(seed)
        order = np.random.default_rng(100 + seed).permutation(12)
        plain: Any = PermutedGenerator(seed, np.arange(12))
        moved: Any = PermutedGenerator(seed, order)
        policy.reset(5)
        chosen = policy(permuted(batch, order), moved)
        policy.reset(5)
        np.testing.assert_array_equal(order[chosen], policy(batch, plain))


def test_an_empty_mask_is_one_clear_error(policy: Policy) -> None:
    batch = observation(0)
    batch["action_mask"][2] = 0
    policy.reset(5)
    with pytest.raises(PolicyError, match="at least one legal site"):
        policy(batch, np.random.default_rng(0))


def test_act_refuses_a_batch(policy: Policy) -> None:
    policy.reset(5)
    with pytest.raises(PolicyError, match="one observation"):
        policy.act(observation(0), np.random.default_rng(0))


def test_the_law_is_what_the_choices_follow(policy: Policy) -> None:
    many = 20_000
    batch = one(observation(6), 2)
    many_alike = {part: np.repeat(value[None], many, axis=0) for part, value in batch.items()}
    policy.reset(1)
    probabilities = policy.action_probabilities(PlacementView(batch), np.random.default_rng(0))
    assert probabilities.shape == (1, 12)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert not probabilities[0][batch["action_mask"] == 0].any()
    policy.reset(many)
    chosen = policy(many_alike, np.random.default_rng(1))
    np.testing.assert_allclose(
        np.bincount(chosen, minlength=12) / many, probabilities[0], atol=0.015
    )


@pytest.mark.parametrize("extra", [1, 1 + 2 * 12, 2 + 2 * 12], ids=["defer", "data", "both"])
def test_policies_work_where_there_are_more_actions_than_sites(policy: Policy, extra: int) -> None:
    plain = observation(8)
    wide = {
        **plain,
        "action_mask": np.concatenate([plain["action_mask"], np.ones((5, extra), np.int8)], axis=1),
    }
    policy.reset(5)
    sites = policy(plain, np.random.default_rng(0))
    policy.reset(5)
    actions = policy(wide, np.random.default_rng(0))
    if extra > 1:
        assert (actions[:, 1] == 0).all()
        actions = actions[:, 0]
    np.testing.assert_array_equal(actions, sites)
