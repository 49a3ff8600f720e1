"""The vector environment: Gymnasium's form, and the same grids as the single environment's."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.errors import SeedError, SettingError
from tests.panda_gym.placements import small


def assert_same(batched, singles) -> None:
    for e, single in enumerate(singles):
        for part, value in single.items():
            np.testing.assert_array_equal(batched[part][e], value)


@pytest.mark.parametrize("n", [1, 3])
def test_every_grid_is_the_single_environment_bit_for_bit(n):
    vector = PlacementVectorEnv(n, **small())
    singles = [PlacementEnv(**small()) for _ in range(n)]
    observations, infos = vector.reset(seed=7)
    pairs = [env.reset(seed=7 + e) for e, env in enumerate(singles)]
    assert_same(observations, [pair[0] for pair in pairs])
    rng = np.random.default_rng(0)
    for _ in range(90):  # two ends of an episode
        actions = rng.integers(-1, 11, n)
        observations, rewards, terminated, truncated, infos = vector.step(actions)
        now = []
        for e, env in enumerate(singles):
            observation, paid, _, done, info = env.step(actions[e])
            assert (paid, done) == (rewards[e], truncated[e])
            if done:
                assert_same({k: v[None] for k, v in infos["final_obs"][e].items()}, [observation])
                assert infos["final_info"]["cost"][e] == info["cost"]
                observation, info = env.reset()
            assert infos["cost"][e] == info["cost"]
            assert infos["costs"]["wan_tb"][e] == info["costs"]["wan_tb"]
            now.append(observation)
        assert not terminated.any()
        assert_same(observations, now)
        assert vector.action_masks().shape == (n, 10)


def test_make_vec_is_silent_and_declares_its_autoreset():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vector = gymnasium.make_vec("PandaGrid/Placement-v0", num_envs=4, **small())
    assert vector.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    observations, infos = vector.reset(seed=0)
    assert vector.observation_space.contains(observations)
    assert infos["_cost"].all()
    assert vector.action_space.contains(vector.action_space.sample())


def test_copies_stay_and_views_are_rewritten():
    held, views = PlacementVectorEnv(2, **small()), PlacementVectorEnv(2, copy=False, **small())
    kept, seen = held.reset(seed=0)[0], views.reset(seed=0)[0]
    before = kept["sites"].copy()
    np.testing.assert_array_equal(seen["sites"], before)
    for env in (held, views):
        env.step(np.zeros(2, np.int64))
    np.testing.assert_array_equal(kept["sites"], before)
    assert not np.array_equal(seen["sites"], before)


def test_flat_observations_and_pictures():
    vector = PlacementVectorEnv(2, observation="flat", render_mode="ansi", **small())
    observations, _ = vector.reset(seed=0)
    assert observations.shape == (2, 15 * 10 + 4 + 8)
    assert len(vector.render()) == 2


@pytest.mark.parametrize(
    "actions", [np.zeros(3, int), np.zeros(2), np.array([0, np.nan]), 1, np.zeros((2, 1), int)]
)
def test_what_are_no_site_numbers_is_one_clear_error(actions):
    vector = PlacementVectorEnv(2, **small())
    vector.reset(seed=0)
    with pytest.raises(SettingError, match="2 whole-numbered actions"):
        vector.step(actions)


def test_bad_settings_and_seeds_are_clear_errors():
    with pytest.raises(SettingError, match="at least one"):
        PlacementVectorEnv(0, **small())
    with pytest.raises(SettingError, match="max_episode_steps"):
        PlacementVectorEnv(1, max_episode_steps=0, **small())
    vector = PlacementVectorEnv(2, **small())
    with pytest.raises(SettingError, match="reset"):
        vector.step(np.zeros(2, int))
    with pytest.raises(SeedError, match="2 seeds"):
        vector.reset(seed=[1])
    with pytest.raises(SeedError):
        vector.reset(seed=1.5)


def test_the_log_of_one_grid_leaves_the_others_alone():
    vector = PlacementVectorEnv(2, **small())
    vector.reset(seed=0)
    vector.step(np.zeros(2, int))
    clock = vector.batch.simulator.world.grids["clock"][1]
    assert set(vector.episode_log(0).state[:61]) == {"finished"}
    assert vector.batch.simulator.world.grids["clock"][1] == clock
