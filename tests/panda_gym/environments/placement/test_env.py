"""The single environment: protocol, seeds, rewards and costs in info, bad input."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.placement import reward
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.errors import PlatformError, SeedError, SettingError
from tests.panda_gym.placements import PLATFORM, STREAM, small


@pytest.fixture
def env() -> PlacementEnv:
    return PlacementEnv(**small())


def play(env: PlacementEnv, seed: int) -> list[tuple]:
    """A whole episode under seeded random actions: (reward, info, observation) of each step."""
    rng = np.random.default_rng(0)
    env.reset(seed=seed)
    steps = []
    for _ in range(40):
        observation, paid, _, truncated, info = env.step(int(rng.integers(0, 10)))
        steps.append((paid, info, observation))
    assert truncated
    return steps


@pytest.mark.parametrize("observation", ["dict", "flat"])
def test_gymnasium_finds_nothing_wrong(observation):
    env = gymnasium.make(
        "PandaGrid/Placement-v0", render_mode="ansi", observation=observation, **small()
    )
    check_env(env.unwrapped)


def test_an_episode_is_its_jobs_and_is_truncated_not_terminated(env):
    env.reset(seed=0)
    ends = [env.step(0)[2:4] for _ in range(40)]
    assert ends == [(False, False)] * 39 + [(False, True)]


def test_the_same_seed_gives_the_same_episode_and_another_one_another(env):
    first, again, other = play(env, 1), play(env, 1), play(env, 2)
    for a, b in zip(first, again, strict=True):
        assert a[:2] == b[:2]
        for part in a[2]:
            np.testing.assert_array_equal(a[2][part], b[2][part])
    assert [step[0] for step in first] != [step[0] for step in other]


def test_episodes_after_the_seeded_one_differ_but_are_repeatable():
    def two_episodes() -> list[float]:
        env = PlacementEnv(**small())
        env.reset(seed=4)
        times = [env.reset()[1]["time_s"], env.reset()[1]["time_s"]]
        return times

    assert two_episodes() == two_episodes()
    assert len(set(two_episodes())) == 2


def test_the_flat_observation_is_the_same_buffer(env):
    flat = PlacementEnv(**small(observation="flat"))
    parts, _ = env.reset(seed=3)
    whole, _ = flat.reset(seed=3)
    expected = np.concatenate([parts[name].ravel() for name in ("sites", "job", "grid")])
    np.testing.assert_array_equal(whole, expected)
    assert flat.observation_space.contains(whole)


def test_the_action_mask_says_where_the_job_fits(env):
    seen = set()
    observation, _ = env.reset(seed=0)
    for _ in range(40):
        cores = PlacementView(observation).job("cores")[0, 0]
        np.testing.assert_array_equal(env.action_masks(), PLATFORM.cores >= round(cores))
        np.testing.assert_array_equal(env.action_masks(), observation["action_mask"].astype(bool))
        assert env.action_masks().any()
        seen.add(int(env.action_masks().sum()))
        observation, *_ = env.step(0)
    assert len(seen) > 1


@pytest.mark.parametrize("action", [10, -1, 10**12, np.int64(-5)])
def test_an_illegal_action_goes_to_the_fallback_and_costs(env, action):
    env.reset(seed=0)
    _, _, _, _, info = env.step(action)
    assert info["costs"]["illegal_action"] == 1.0
    assert info["cost"] == pytest.approx(1.0 + info["costs"]["wan_tb"])
    assert info["site"] == int(np.argmax(PLATFORM.cores))


def test_a_masked_action_is_illegal_too(env):
    env.reset(seed=0)
    for _ in range(39):
        masked = np.flatnonzero(~env.action_masks())
        info = env.step(masked[0] if len(masked) else 0)[4]
        assert info["costs"]["illegal_action"] == float(len(masked) > 0)


@pytest.mark.parametrize(
    "action", [0.0, np.nan, "0", None, np.array([1.0]), np.zeros((1, 1), int), [1, 2], True, 10**30]
)
def test_what_is_no_site_number_is_one_clear_error(env, action):
    env.reset(seed=0)
    with pytest.raises(SettingError, match="whole-numbered"):
        env.step(action)


def test_steps_outside_an_episode_are_refused(env):
    with pytest.raises(SettingError, match="reset"):
        env.step(0)
    with pytest.raises(SettingError, match="reset"):
        env.episode_log()
    play(env, 0)
    with pytest.raises(SettingError, match="reset"):
        env.step(0)


@pytest.mark.parametrize("seed", [1.5, "1", True, -1])
def test_a_wrong_seed_is_a_seed_error(env, seed):
    with pytest.raises(SeedError):
        env.reset(seed=seed)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"jobs": 0}, "jobs"),
        ({"warmup": -1}, "warmup"),
        ({"load": 0.0}, "load"),
        ({"load": float("nan")}, "load"),
        ({"scale": 0.0}, "scale"),
        ({"staleness_s": -1.0}, "staleness_s"),
        ({"efficiency": 0.0}, "efficiency"),
        ({"bound_s": "x"}, "bound_s"),
        ({"reward": "predict"}, "did you mean predicted"),
        ({"observation": "image"}, "observation"),
        ({"render_mode": "human"}, "render_mode"),
        ({"competing": {"men": 0.5}}, "did you mean mean"),
        ({"competing": "half"}, "competing"),
        ({"competing": 1.5}, "competing mean"),
        ({"rewards": "predicted"}, "did you mean reward"),
        ({"scale": 0.1}, "jobs of at most"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(wrong, hint):
    with pytest.raises(SettingError, match=hint):
        PlacementEnv(**small(**wrong))


def test_an_unknown_platform_names_the_nearest():
    with pytest.raises(PlatformError, match="tiny4"):
        PlacementEnv(stream=STREAM, platform="tiny5")


def test_info_holds_python_floats_with_the_same_keys_from_the_start():
    env = PlacementEnv(**small(reward="predicted"))
    _, begin = env.reset(seed=0)
    _, paid, _, _, info = env.step(0)
    assert begin.keys() == info.keys()
    assert begin["costs"].keys() == info["costs"].keys()
    assert begin["cost"] == 0.0
    assert set(begin["costs"].values()) == {0.0}
    assert type(paid) is float
    assert type(begin["cost"]) is type(info["cost"]) is float
    assert paid == info["reward_pred"]


def test_the_cost_is_the_sum_of_the_costs(env):
    for _, info, _ in play(env, 0):
        assert info["cost"] == pytest.approx(sum(info["costs"].values()))


@pytest.mark.parametrize("name", sorted(reward.REWARDS))
def test_every_reward_is_finite_and_moves(name):
    paid = [step[0] for step in play(PlacementEnv(**small(reward=name)), 0)]
    assert np.isfinite(paid).all()
    assert len(set(paid)) > 5


def test_the_log_agrees_with_what_the_steps_paid():
    env = PlacementEnv(**small(reward="jobs_in_system"))
    steps = play(env, 0)
    start = env.reset(seed=0)[1]["time_s"]
    log_env = PlacementEnv(**small(reward="jobs_in_system"))
    play(log_env, 0)
    log = log_env.episode_log(drain=False)
    now = log.now_s
    inside = np.minimum(log.end_s, now, where=log.end_s == log.end_s, out=np.full(len(log), now))
    area = np.maximum(inside - np.maximum(log.arrival_s, start), 0.0).sum()
    assert sum(step[0] for step in steps) == pytest.approx(-area / 3600.0)


def test_the_log_is_whole_after_draining(env):
    play(env, 0)
    log = env.episode_log()
    assert len(log) == 100
    assert log.warmup == 60
    assert set(log.state) == {"finished"}
    assert (log.bounded_slowdown >= 1.0).all()
    assert {len(column) for column in log.columns().values()} == {100}


def test_the_ansi_picture_names_sites_and_time():
    env = PlacementEnv(**small(render_mode="ansi"))
    env.reset(seed=0)
    assert "SITE_0" in env.render()
    assert "job 60 of 100" in env.render()
