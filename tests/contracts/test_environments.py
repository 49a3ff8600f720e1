"""Every registered environment keeps the contracts of Gymnasium and of this project."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

import panda_gym
from panda_gym.errors import SeedError, SettingError
from tests.panda_gym.placements import small

SETTINGS = {"PandaGrid/Placement-v0": small()}
"""Keywords that make an environment small and independent of any surrogate; {} by default."""


@pytest.fixture(params=sorted(panda_gym.ENVIRONMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def settings(name: str) -> dict:
    return SETTINGS.get(name, {})


def test_it_is_registered_with_both_faces(name):
    spec = gymnasium.spec(name)
    assert spec.id == name
    assert spec.vector_entry_point


def test_gymnasium_checks_it(name, settings):
    check_env(gymnasium.make(name, **settings).unwrapped)


def test_its_spec_survives_json(name):
    text = gymnasium.spec(name).to_json()
    assert EnvSpec.from_json(text).entry_point == panda_gym.ENVIRONMENTS[name]["entry_point"]


def choices(space: gymnasium.Space) -> np.ndarray:
    """How many choices each part of an action has."""
    return np.atleast_1d(space.n if isinstance(space, spaces.Discrete) else space.nvec)


def legal(space: gymnasium.Space, mask: np.ndarray) -> np.ndarray:
    """A legal action, drawn; the masks of an action's parts stand behind each other."""
    if isinstance(space, spaces.Discrete):
        return space.sample(mask)
    return space.sample(tuple(np.split(mask, np.cumsum(space.nvec)[:-1])))


def test_masks_and_costs_are_there_from_the_start(name, settings):
    env = gymnasium.make(name, **settings)
    observation, begin = env.reset(seed=0)
    masks = env.get_wrapper_attr("action_masks")()
    assert masks.dtype == bool
    assert masks.shape == (choices(env.action_space).sum(),)
    assert masks.any()
    np.testing.assert_array_equal(masks, observation["action_mask"].astype(bool))
    assert begin["cost"] == 0.0
    _, paid, _, _, info = env.step(legal(env.action_space, observation["action_mask"]))
    assert begin.keys() == info.keys()
    assert isinstance(paid, float)
    assert isinstance(info["cost"], float)


def test_the_vector_face_is_silent_and_gives_the_single_one(name, settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vector = gymnasium.make_vec(name, num_envs=2, **settings)
    single = gymnasium.make(name, **settings)
    many, _ = vector.reset(seed=[3, 9])
    one, _ = single.reset(seed=9)
    for part in one:
        np.testing.assert_array_equal(many[part][1], one[part])


def test_bad_settings_and_seeds_are_one_clear_error_each(name, settings):
    with pytest.raises(SettingError, match="did you mean"):
        gymnasium.make(name, **settings, rewards="predicted")
    with pytest.raises(SeedError):
        gymnasium.make(name, **settings).unwrapped.reset(seed=1.5)
