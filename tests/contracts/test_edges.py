"""Edges of every environment: bad input, ends of episodes, bounds, wrappers; by the registry."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as wrappers

import panda_gym
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import SITE_FEATURES
from panda_gym.episode_log import read_log
from panda_gym.errors import SettingError
from tests.panda_gym.placements import small

SETTINGS: dict[str, dict[str, Any]] = {
    "PandaGrid/Placement-v0": small(jobs=9),
    "PandaGrid/DataPlacement-v0": small(jobs=9, storage=True),
    "PandaGrid/Pipelines-v0": {"days": 2.0},
}
"""Keywords that make episodes short; {} by default."""

SITE_ROWS = [feature.name for feature in SITE_FEATURES]
OF_JOB = ["transfer", "run", "local_share", "closeness"]
"""Rows that depend on the job and not on the state of the grid."""

BAD: dict[str, Callable[[np.ndarray], Any]] = {
    "NaN": lambda one: np.full(one.shape, np.nan),
    "float": lambda one: one.astype(np.float64),
    "bool": lambda one: one.astype(bool),
    "text": lambda one: one.astype(str),
    "nothing": lambda one: None,
    "too many": lambda one: np.concatenate([np.atleast_1d(one)] * 3),
    "too few": lambda one: np.zeros((0,), dtype=np.int64),
}
"""Actions of a wrong type or shape, from a right one."""


@pytest.fixture(params=sorted(panda_gym.ENVIRONMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def single(name: str, **more: Any) -> gymnasium.Env:
    return gymnasium.make(name, **SETTINGS.get(name, {}), **more).unwrapped


def vector(name: str, **more: Any) -> gymnasium.vector.VectorEnv:
    return gymnasium.make_vec(name, num_envs=2, **SETTINGS.get(name, {}), **more)


FACES: dict[str, Callable[..., Any]] = {"single": single, "vector": vector}


def action_of(env: Any) -> np.ndarray:
    """An action of zeros."""
    return np.zeros_like(np.asarray(env.action_space.sample()))


def legal(space: gymnasium.Space, masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Legal actions, drawn; the masks of an action's parts stand behind each other."""
    sizes = np.atleast_1d(space.n if isinstance(space, spaces.Discrete) else space.nvec)
    parts = np.split(masks, np.cumsum(sizes)[:-1], axis=1)
    drawn = [(rng.random(part.shape) * part).argmax(axis=1) for part in parts]
    return drawn[0] if isinstance(space, spaces.Discrete) else np.stack(drawn, axis=1)


def assert_equal(one: Any, other: Any) -> None:
    for part in one:
        np.testing.assert_array_equal(one[part], other[part])


@pytest.mark.parametrize("face", FACES)
def test_a_wrong_action_is_one_clear_error_and_changes_nothing(name: str, face: str) -> None:
    env, same = FACES[face](name), FACES[face](name)
    env.reset(seed=1), same.reset(seed=1)
    right = action_of(env)
    for wrong in BAD.values():
        with pytest.raises(SettingError, match="whole-numbered actions"):
            env.step(wrong(right))
    found, expected = env.step(right), same.step(right)
    assert_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("face", FACES)
def test_a_number_outside_the_space_is_illegal_and_costs_in_its_step(name: str, face: str) -> None:
    env = FACES[face](name)
    env.reset(seed=1)
    right = action_of(env)
    for wrong in (-1, 10**9, np.iinfo(np.int64).min):
        info = env.step(np.full_like(right, wrong))[4]
        assert np.all(info["costs"]["illegal_action"] >= 1.0)
        paid = sum(value for key, value in info["costs"].items() if not key.startswith("_"))
        np.testing.assert_allclose(info["cost"], paid)
    most = 2.0 if name.endswith("DataPlacement-v0") else 1.0
    assert np.all(info["costs"]["illegal_action"] <= most)  # of one step, not a sum so far


@pytest.mark.parametrize("face", FACES)
def test_a_reset_in_the_middle_begins_the_episode_of_its_seed(name: str, face: str) -> None:
    env, fresh = FACES[face](name), FACES[face](name)
    env.reset(seed=5)
    for _ in range(3):
        env.step(action_of(env))
    (found, info), (expected, known) = env.reset(seed=2), fresh.reset(seed=2)
    assert_equal(found, expected)
    assert info.keys() == known.keys()
    found, expected = env.step(action_of(env)), fresh.step(action_of(env))
    assert_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


def test_a_closed_environment_neither_steps_nor_begins(name: str) -> None:
    for env in (single(name), vector(name)):
        env.reset(seed=0)
        env.close()
        env.close()
        for use in (env.reset, lambda env=env: env.step(action_of(env))):
            with pytest.raises(SettingError, match="make it anew"):
                use()


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_every_observation_is_within_bounds_and_allows_an_action(
    name: str, mode: AutoresetMode
) -> None:
    env, rng, ends = vector(name, autoreset_mode=mode), np.random.default_rng(3), 0
    observation, begin = env.reset(seed=3)
    within = env.single_observation_space.contains
    for _ in range(150):
        assert env.observation_space.contains(observation)
        masks = observation["action_mask"]
        assert masks.any(axis=1).all()
        actions = legal(env.single_action_space, masks, rng)
        observation, _, terminated, truncated, info = env.step(actions)
        done, ends = terminated | truncated, ends + int((terminated | truncated).sum())
        assert begin.keys() <= info.keys()
        assert info["costs"]["illegal_action"].sum() == 0.0
        for last in info.get("final_obs", np.zeros(0))[done[: len(info.get("final_obs", []))]]:
            assert within(last)
            assert last["action_mask"].any()
    assert ends > 0


@pytest.mark.parametrize("more", [{}, {"scenario": "data-heavy"}, {"decisions": 4}])
@pytest.mark.parametrize("name", ["PandaGrid/Placement-v0", "PandaGrid/DataPlacement-v0"])
def test_the_last_observation_shows_the_next_job_of_the_stream(
    name: str, more: dict[str, Any]
) -> None:
    if name.endswith("DataPlacement-v0") and "decisions" in more:
        pytest.skip("one decision at a time with actions on data")
    settings = {"jobs": 8, "scale": 0.1, **more}
    short, long = (gymnasium.make(name, **{**settings, "jobs": jobs}).unwrapped for jobs in (8, 12))
    short.reset(seed=0), long.reset(seed=0)
    truncated = False
    while not truncated:
        last, _, _, truncated, _ = short.step(action_of(short))
        longer = long.step(action_of(long))[0]
    first = (0,) if "decisions" in more else ()
    # With storage a dataset is as large as the mean input of the episode's jobs that read it.
    stored = name.endswith("DataPlacement-v0") or "scenario" in more
    known, rows = ([0, 1, 3], ["run"]) if stored else ([0, 1, 2, 3], OF_JOB)
    assert last["job"][first][known].all()
    np.testing.assert_array_equal(last["job"][first][known], longer["job"][first][known])
    for row in rows:
        at = (*first, SITE_ROWS.index(row))
        np.testing.assert_array_equal(last["sites"][at], longer["sites"][at])


def test_without_a_next_job_the_last_observation_shows_none() -> None:
    env = gymnasium.make(
        "PandaGrid/Placement-v0", **small(jobs="all", load=None, warmup=0, start=0)
    ).unwrapped
    env.reset(seed=0)
    truncated = False
    while not truncated:
        last, _, _, truncated, _ = env.step(0)
    assert not last["job"].any()
    assert last["action_mask"].all()


@pytest.mark.parametrize(
    "wrap",
    [
        wrappers.FlattenObservation,
        lambda env: wrappers.FilterObservation(env, ["action_mask"]),
        lambda env: wrappers.TransformObservation(env, lambda observation: observation),
        wrappers.NormalizeReward,
        wrappers.RecordEpisodeStatistics,
        wrappers.DictInfoToList,
    ],
)
def test_vector_wrappers_of_gymnasium_work(name: str, wrap: Callable[..., Any]) -> None:
    env = wrap(vector(name, autoreset_mode="next_step"))
    env.reset(seed=0)
    for _ in range(12):
        observation = env.step(action_of(env))[0]
        assert env.observation_space.contains(observation)
    env.close()


@pytest.mark.parametrize("wrap", [wrappers.NormalizeObservation, wrappers.RescaleObservation])
def test_vector_wrappers_of_boxes_work_on_the_flat_form(
    name: str, wrap: Callable[..., Any]
) -> None:
    more = (np.float32(-1.0), np.float32(1.0)) if wrap is wrappers.RescaleObservation else ()
    env = wrap(vector(name, autoreset_mode="next_step", observation="flat"), *more)
    env.reset(seed=0)
    for _ in range(12):
        observation = env.step(action_of(env))[0]
    assert np.isfinite(observation).all()
    if more:
        assert np.abs(observation).max() <= 1.0 + 1e-6


def test_every_policy_plays_jobs_and_data() -> None:
    env = vector("PandaGrid/DataPlacement-v0")
    for name in policies.names():
        if name == "learned":
            continue
        policy, rng = policies.create(name), np.random.default_rng(0)
        observation, _ = env.reset(seed=4)
        policy.reset(2)
        for _ in range(4):
            observation, _, _, _, info = env.step(policy(observation, rng))
            assert info["costs"]["illegal_action"].sum() == 0.0


def test_a_forked_child_goes_on_with_threads_of_its_own() -> None:
    env = vector("PandaGrid/Placement-v0", threads=2)
    env.reset(seed=0)
    env.step(action_of(env))
    child = os.fork()
    if child == 0:
        try:
            for _ in range(12):  # into the second episode
                env.step(action_of(env))
            env.close()
        finally:
            os._exit(0 if env.batch.closed else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    env.step(action_of(env))


def test_environments_that_share_a_folder_of_logs_keep_all(tmp_path: Any) -> None:
    envs = [single("PandaGrid/Placement-v0", log=tmp_path) for _ in range(3)]
    for seed, env in enumerate(envs):
        env.reset(seed=seed)
    for _, env in itertools.product(range(9), envs):
        env.step(action_of(env))
    found = sorted(tmp_path.iterdir())
    assert [path.name for path in found] == [f"episode-00000{k}.parquet" for k in range(3)]
    assert len({read_log(path).about["seed"] for path in found}) == 3


def test_single_vector_and_library_forms_share_a_folder_of_logs(name: str, tmp_path: Any) -> None:
    one, two, three = (make(name, log=tmp_path) for make in (single, vector, library))
    one.reset(seed=0), two.reset(seed=1)
    three.seed(3), three.reset()
    ended = dict.fromkeys((one, two, three), 0)
    for _ in range(2_000):
        for env, actions in ((one, action_of(one)), (two, action_of(two))):
            over = np.logical_or(*env.step(actions)[2:4])
            ended[env] += int(np.sum(over))
            if env is one and over:
                one.reset()
        ended[three] += int(three.step(np.stack([action_of(three)] * 2))[2].sum())
        if min(ended.values()):
            break
    found = sorted(tmp_path.iterdir())
    assert min(ended.values())
    assert len(found) == sum(ended.values())
    assert [path.name for path in found] == [f"episode-{k:06d}.parquet" for k in range(len(found))]


def library(name: str, **more: Any) -> Any:
    """Two episodes side by side as stable-baselines3 has them."""
    return panda_gym.sb3_vec_env(2, name, **SETTINGS.get(name, {}), **more)


def library_at(name: str, seed: int, actions: np.ndarray) -> Any:
    """What new environments show after one step."""
    env = library(name)
    env.seed(seed)
    env.reset()
    return env.step(actions)[0]


def test_stable_baselines3_gets_the_same_errors(name: str) -> None:
    env, same = library(name), library(name)
    right = np.stack([action_of(env)] * 2)
    with pytest.raises(SettingError, match="call reset"):
        env.step(right)
    env.seed(1), same.seed(1)
    env.reset(), same.reset()
    for wrong in BAD.values():
        with pytest.raises(SettingError, match="whole-numbered actions"):
            env.step(wrong(right))
    info = env.step(np.full_like(right, -1))[3][1]
    assert info["costs"]["illegal_action"] >= 1.0
    same.step(np.full_like(right, -1))
    assert_equal(env.step(right)[0], same.step(right)[0])
    env.seed(2), same.seed(2)  # a reset in the middle
    assert_equal(env.reset(), same.reset())
    assert_equal(env.step(right)[0], library_at(name, 2, right))
    env.set_options({"day": 3})
    with pytest.raises(SettingError, match="options"):
        env.reset()
    env.close()
    for use in (env.reset, lambda: env.step(right)):
        with pytest.raises(SettingError, match="make it anew"):
            use()
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        panda_gym.sb3_vec_env(2, name, frameskip=1)
