"""What every registered workflow policy promises, by a walk through the registry."""

from __future__ import annotations

import inspect

import gymnasium
import numpy as np
import pytest

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.workflow import policies
from panda_gym.errors import PolicyError


@pytest.fixture(params=policies.names())
def policy(request):
    return policies.create(request.param)


def test_it_is_documented_and_final(policy):
    assert inspect.getdoc(type(policy))
    assert not inspect.isabstract(type(policy))


@pytest.mark.parametrize("platform", ["summit16", "small15"])
def test_it_runs_a_batch_to_its_end_within_the_mask(policy, platform):
    envs = gymnasium.make_vec(
        "PandaGrid/Workflow-v0",
        num_envs=4,
        workflow="random:forkjoin",
        platform=platform,
        variants=4,
    )
    rng = np.random.default_rng(0)
    observation, _ = envs.reset(seed=0)
    ended = np.zeros(4, dtype=bool)
    for _ in range(400):
        actions = policy(observation, rng)
        assert actions.dtype == np.int64
        assert observation["action_mask"][np.arange(4), actions].all()
        observation, _, done, _, _ = envs.step(actions)
        ended |= done
        if ended.all():
            break
    assert ended.all()


def test_a_batch_is_answered_as_its_members(policy):
    envs = gymnasium.make_vec("PandaGrid/Workflow-v0", num_envs=3, workflow="random:layered")
    observation, _ = envs.reset(seed=3)
    many = policy(observation, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    ones = [policy({k: v[e : e + 1] for k, v in observation.items()}, rng)[0] for e in range(3)]
    assert many.tolist() == ones


def test_a_mask_of_zeros_is_refused(policy):
    envs = gymnasium.make_vec("PandaGrid/Workflow-v0", num_envs=2, workflow="cdg1")
    observation, _ = envs.reset(seed=0)
    with pytest.raises(PolicyError, match="legal action"):
        policy(
            {**observation, "action_mask": observation["action_mask"] * 0}, np.random.default_rng(0)
        )


def test_an_unknown_name_is_refused():
    with pytest.raises(PolicyError, match="did you mean fifo"):
        policies.create("fife")


def test_the_old_name_heft_warns_and_works():
    with pytest.warns(FutureWarning, match="upward_rank_earliest_finish"):
        policy = policies.create("heft")
    assert type(policy) is type(policies.create("upward_rank_earliest_finish"))
