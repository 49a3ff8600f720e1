"""Every registered environment keeps the contracts of Gymnasium and of this project."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import panda_gym
from panda_gym.errors import SettingError
from tests.panda_gym.placements import small

IDS = sorted(panda_gym.ENVIRONMENTS)


@pytest.fixture(params=IDS)
def name(request) -> str:
    return request.param


def test_it_is_registered_with_both_faces(name):
    spec = gymnasium.spec(name)
    assert spec.id == name
    assert spec.vector_entry_point


def test_gymnasium_checks_it(name):
    check_env(gymnasium.make(name, **small()).unwrapped)


def test_its_spec_survives_json(name):
    env = gymnasium.make(name, **small(platform="tiny4", jobs=20, warmup=5))
    env.spec.kwargs.pop("stream")  # an object; a surrogate's name takes its place
    text = env.spec.to_json()
    assert gymnasium.envs.registration.EnvSpec.from_json(text).kwargs["platform"] == "tiny4"


def test_masks_costs_and_both_rewards_are_there(name):
    env = gymnasium.make(name, **small())
    observation, begin = env.reset(seed=0)
    masks = env.get_wrapper_attr("action_masks")()
    assert masks.dtype == bool
    assert masks.shape == (env.action_space.n,)
    assert masks.any()
    assert begin["cost"] == 0.0
    _, paid, _, _, info = env.step(env.action_space.sample(observation["action_mask"]))
    assert {"cost", "costs", "reward_pred", "reward_true"} <= info.keys()
    assert isinstance(paid, float)
    assert isinstance(info["cost"], float)


def test_the_vector_face_gives_the_single_one(name):
    vector = gymnasium.make_vec(name, num_envs=2, **small())
    single = gymnasium.make(name, **small())
    many, _ = vector.reset(seed=[3, 9])
    one, _ = single.reset(seed=9)
    for part in one:
        np.testing.assert_array_equal(many[part][1], one[part])


def test_an_unknown_setting_is_one_clear_error(name):
    with pytest.raises(SettingError, match="did you mean"):
        gymnasium.make(name, **small(), loads=3)
