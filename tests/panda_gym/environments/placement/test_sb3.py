"""The stable-baselines3 interface: the same grids, and what its algorithms ask for."""

from __future__ import annotations

import numpy as np
import pytest

import panda_gym
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.errors import SettingError
from tests.panda_gym.placements import small


def test_it_is_the_vector_environment_bit_for_bit():
    ours, theirs = PlacementVectorEnv(3, **small()), panda_gym.sb3_vec_env(3, seed=5, **small())
    observations, _ = ours.reset(seed=5)
    seen = theirs.reset()
    rng = np.random.default_rng(0)
    ends = 0
    for _ in range(50):
        for part in observations:
            np.testing.assert_array_equal(observations[part], seen[part])
        actions = rng.integers(0, 10, 3)
        observations, rewards, _, truncated, infos = ours.step(actions)
        seen, paid, dones, each = theirs.step(actions)
        np.testing.assert_array_equal(rewards.astype(np.float32), paid)
        np.testing.assert_array_equal(truncated, dones)
        for e in range(3):
            final = infos["final_info"] if truncated[e] else infos
            assert each[e]["cost"] == final["cost"][e]
            assert ("terminal_observation" in each[e]) == bool(truncated[e])
            if truncated[e]:
                ends += 1
                assert each[e]["TimeLimit.truncated"] is True
                np.testing.assert_array_equal(
                    each[e]["terminal_observation"]["sites"], infos["final_obs"][e]["sites"]
                )
    assert ends == 3


def test_single_environment_passes_the_checker_of_sb3():
    from stable_baselines3.common.env_checker import check_env

    from panda_gym.environments.placement.env import PlacementEnv

    check_env(PlacementEnv(observation="flat", **small()))


def test_maskable_ppo_finds_the_masks_and_learns():
    from sb3_contrib import MaskablePPO

    env = panda_gym.sb3_vec_env(4, seed=0, **small())
    model = MaskablePPO("MultiInputPolicy", env, n_steps=16, batch_size=32, n_epochs=1, seed=0)
    model.learn(128)
    observations = env.reset()
    actions, _ = model.predict(observations, action_masks=env.action_masks())
    assert env.action_masks()[np.arange(4), actions].all()


def test_methods_and_attributes_of_single_grids():
    env = panda_gym.sb3_vec_env(3, seed=0, **small())
    env.reset()
    masks = env.env_method("action_masks", indices=[0, 2])
    np.testing.assert_array_equal(masks, env.action_masks()[[0, 2]])
    assert env.has_attr("action_masks")
    assert not env.has_attr("no_such_thing")
    assert env.get_attr("num_envs") == [3, 3, 3]
    env.set_attr("label", "x", indices=1)
    assert env.get_attr("label") == [None, "x", None]
    assert env.env_is_wrapped(object) == [False] * 3
    assert len(env.env_method("episode_log", indices=1)[0]) == 100
    assert len(env.reset_infos) == 3
    with pytest.raises(SettingError, match="action_masks"):
        env.env_method("dance")
    env.close()


def test_short_infos_hold_the_same_costs():
    full = panda_gym.sb3_vec_env(3, seed=0, **small())
    short = panda_gym.sb3_vec_env(3, seed=0, info="cost", copy=False, **small())
    full.reset(), short.reset()
    for action in ([0, 1, 99], [5, 5, 5]):
        expected, found = (env.step(np.array(action))[3] for env in (full, short))
        assert [{"cost": one["cost"]} for one in expected] == found
    with pytest.raises(SettingError, match="info"):
        panda_gym.sb3_vec_env(1, info="none", **small())


def test_wrong_actions_are_refused_before_the_step():
    env = panda_gym.sb3_vec_env(2, seed=0, **small())
    env.reset()
    with pytest.raises(SettingError, match="whole-numbered"):
        env.step(np.array([0.5, 1.0]))
