"""Every registered environment keeps the contracts of Gymnasium and of this project."""

from __future__ import annotations

import copy
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

import panda_gym
from panda_gym.episode_log import EpisodeTables
from panda_gym.errors import SeedError, SettingError, StreamError
from panda_gym.workflows.random_graphs import random_workflow
from tests.panda_gym.placements import small

SETTINGS = {"PandaGrid/DataPlacement-v0": small(), "PandaGrid/Placement-v0": small()}
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


def test_an_unknown_keyword_is_pythons_own_error_too(name, settings):
    for make in (gymnasium.make, gymnasium.make_vec):
        with pytest.raises(TypeError, match="unexpected keyword argument 'frameskip'"):
            make(name, **settings, frameskip=1)


def zeros(env: gymnasium.vector.VectorEnv) -> np.ndarray:
    return np.zeros_like(env.action_space.sample())


def test_steps_before_reset_and_after_close_are_one_clear_error(name, settings):
    single = gymnasium.make(name, **settings).unwrapped
    vector = gymnasium.make_vec(name, num_envs=2, **settings)
    for env, action in ((single, zeros(vector)[0]), (vector, zeros(vector))):
        with pytest.raises(SettingError, match="call reset"):
            env.step(action)
        env.reset(seed=0)
        env.step(action)
        env.close()
        with pytest.raises(SettingError, match="a closed one"):
            env.step(action)


def test_unknown_options_of_reset_are_refused(name, settings):
    for env in (
        gymnasium.make(name, **settings).unwrapped,
        gymnasium.make_vec(name, num_envs=2, **settings),
    ):
        with pytest.raises(SettingError, match="options"):
            env.reset(options={"day": 3})


SHORT = {
    "PandaGrid/Placement-v0": {"jobs": 7},
    "PandaGrid/DataPlacement-v0": {"jobs": 7},
    "PandaGrid/Pipelines-v0": {"days": 2.0},
    "PandaGrid/Workflow-v0": {"workflow": "random:ddmd"},
}
"""Settings whose episodes end within the steps of the test."""


@pytest.mark.parametrize("ranked", [False, True])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_vector_equals_single_environments_in_every_autoreset_mode(
    name, settings, mode, ranked
):
    settings = {**settings, **SHORT.get(name, {}), "ranked": ranked}
    vector = gymnasium.make_vec(name, num_envs=3, autoreset_mode=mode, **settings)
    assert vector.metadata["autoreset_mode"] is mode
    makers = [lambda: gymnasium.make(name, **settings).unwrapped] * 3
    compare(vector, SyncVectorEnv(makers, autoreset_mode=mode))


@pytest.mark.long
def test_the_vector_equals_environments_in_processes_of_their_own(name, settings):
    settings = {**settings, **SHORT.get(name, {}), "ranked": True}
    vector = gymnasium.make_vec(name, num_envs=3, **settings)
    # The new processes import what stands before the colon.
    makers = [lambda: gymnasium.make(f"panda_gym:{name}", **settings).unwrapped] * 3
    several = AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP, context="spawn")
    compare(vector, several)
    several.close()


def compare(vector: gymnasium.vector.VectorEnv, several: gymnasium.vector.VectorEnv) -> None:
    """Play both with the same actions; everything but infos of their own is equal bit for bit."""
    disabled = vector.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    (ours, infos), (theirs, known) = vector.reset(seed=4), several.reset(seed=4)
    ends = 0
    several.action_space.seed(0)
    for _ in range(60):
        for part in theirs:
            np.testing.assert_array_equal(ours[part], theirs[part])
        if "ranking" in infos and infos["_ranking"].all():
            np.testing.assert_array_equal(infos["ranking"], known["ranking"])
        actions = several.action_space.sample()
        ours, *mine, infos = vector.step(actions)
        theirs, *same, known = several.step(actions)
        for one, other in zip(mine, same, strict=True):
            np.testing.assert_array_equal(one, other)
        over = mine[1] | mine[2]
        ends += int(over.sum())
        assert set(infos) >= {key for key in known if key != "_final_info"}
        if disabled and over.any():
            ours, infos = vector.reset(options={"reset_mask": over})
            theirs, known = several.reset(options={"reset_mask": over})
    assert ends > 0


def test_without_autoreset_a_mask_says_what_begins(name, settings):
    env = gymnasium.make_vec(name, num_envs=2, autoreset_mode="disabled", **settings)
    env.reset(seed=0)
    before, *_ = env.step(zeros(env))
    after, infos = env.reset(seed=5, options={"reset_mask": np.array([False, True])})
    fresh, _ = gymnasium.make(name, **settings).reset(seed=6)
    for part in fresh:
        np.testing.assert_array_equal(after[part][0], before[part][0])
        np.testing.assert_array_equal(after[part][1], fresh[part])
    assert infos["_cost"].tolist() == [False, True]
    with pytest.raises(SettingError, match="reset_mask"):
        env.reset(options={"reset_mask": [False, True]})


def test_a_step_limit_truncates(name, settings):
    env = gymnasium.make_vec(name, num_envs=2, max_episode_steps=3, **settings)
    env.reset(seed=0)
    ends = [env.step(zeros(env))[3].tolist() for _ in range(4)]
    assert ends == [[False, False], [False, False], [True, True], [False, False]]


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_every_family_renders(name, settings, mode):
    single = gymnasium.make(name, render_mode=mode, **settings)
    vector = gymnasium.make_vec(name, num_envs=2, render_mode=mode, **settings)
    single.reset(seed=1)
    vector.reset(seed=[0, 1])
    for _ in range(5):
        single.step(zeros(vector)[0])
        vector.step(zeros(vector))
    shown = single.render()
    other = vector.render()
    assert len(other) == 2
    if mode == "ansi":
        assert shown == other[1]
        assert len(shown.splitlines()) > 5
    else:
        assert shown.dtype == np.uint8
        assert shown.shape[2] == 3
        np.testing.assert_array_equal(shown, other[1])
        assert shown.std() > 5.0
    assert gymnasium.make(name, **settings).unwrapped.render() is None


def test_the_flat_observation_is_the_parts_in_order(name, settings):
    whole = gymnasium.make_vec(name, num_envs=2, **settings)
    flat = gymnasium.make_vec(name, num_envs=2, observation="flat", **settings)
    (parts, _), (rows, _) = whole.reset(seed=3), flat.reset(seed=3)
    for _ in range(3):
        names = list(whole.single_observation_space.spaces)
        if name.endswith("Placement-v0"):
            names = ["sites", "job", "grid"]
        names = [part for part in names if part != "action_mask"]
        expected = np.concatenate([parts[part].reshape(2, -1) for part in names], axis=1)
        np.testing.assert_array_equal(rows, expected)
        assert flat.observation_space.contains(rows)
        (parts, *_), (rows, *_) = whole.step(zeros(whole)), flat.step(zeros(flat))
    one, _ = gymnasium.make(name, observation="flat", **settings).reset(seed=4)
    again, _ = flat.reset(seed=3)
    np.testing.assert_array_equal(one, again[1])
    library = panda_gym.sb3_vec_env(2, name, seed=3, observation="flat", **settings)
    np.testing.assert_array_equal(library.reset(), again)
    with pytest.raises(SettingError, match="observation"):
        gymnasium.make(name, observation="picture", **settings)


@pytest.mark.parametrize("observation", ["dict", "flat"])
def test_observations_without_copies_are_the_same_until_the_next_step(name, settings, observation):
    kinds = {"observation": observation, **settings}
    kept, views = (
        gymnasium.make_vec(name, num_envs=2, copy=copy, **kinds) for copy in (True, False)
    )
    (ours, _), (theirs, _) = kept.reset(seed=6), views.reset(seed=6)
    for _ in range(4):
        for part in ours if observation == "dict" else [...]:
            np.testing.assert_array_equal(ours[part], theirs[part])
        ours, theirs = kept.step(zeros(kept))[0], views.step(zeros(views))[0]


def test_stable_baselines3_checks_it(name, settings):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(gymnasium.make(name, observation="flat", **settings).unwrapped)


def test_the_vec_env_of_stable_baselines3_is_the_vector_one(name, settings):
    pytest.importorskip("stable_baselines3")
    settings = {**settings, **SHORT.get(name, {})}
    ours = gymnasium.make_vec(name, num_envs=2, **settings)
    theirs = panda_gym.sb3_vec_env(2, name, seed=5, **settings)
    (seen, _), same = ours.reset(seed=5), theirs.reset()
    rng, ends = np.random.default_rng(1), 0
    for _ in range(60):
        for part in seen:
            np.testing.assert_array_equal(seen[part], same[part])
        actions = rng.integers(0, choices(ours.single_action_space), zeros(ours).T.shape).T
        seen, rewards, terminated, truncated, infos = ours.step(actions)
        same, paid, done, each = theirs.step(actions)
        np.testing.assert_array_equal(rewards.astype(np.float32), paid)
        np.testing.assert_array_equal(terminated | truncated, done)
        for e in np.flatnonzero(done):
            ends += 1
            assert each[e]["TimeLimit.truncated"] is bool(truncated[e])
            assert each[e]["cost"] == infos["final_info"]["cost"][e]
            last = each[e]["terminal_observation"]
            for part in last:
                np.testing.assert_array_equal(last[part], infos["final_obs"][e][part])
    assert ends > 0


def test_infos_may_hold_the_cost_alone(name, settings):
    """A flat dictionary, for readers that know no other (torchrl's GymEnv with num_envs)."""
    settings = {**settings, **SHORT.get(name, {})}
    for make in (gymnasium.make, lambda *a, **k: gymnasium.make_vec(*a, num_envs=2, **k)):
        full, flat = make(name, **settings).unwrapped, make(name, info="cost", **settings).unwrapped
        (seen, begin), (same, told) = full.reset(seed=3), flat.reset(seed=3)
        for _ in range(3):
            for part in seen:
                np.testing.assert_array_equal(seen[part], same[part])
            assert told.keys() == {"cost", "_cost"} & begin.keys()
            np.testing.assert_array_equal(told["cost"], begin["cost"])
            action = np.full_like(full.action_space.sample(), -1)
            (seen, *_, begin), (same, *_, told) = full.step(action), flat.step(action)
            assert np.all(np.asarray(told["cost"]) >= 1.0)
        with pytest.raises(SettingError, match="'full' or 'cost'"):
            make(name, info="costs", **settings)


def test_infos_keep_their_keys_and_tell_the_time(name, settings):
    env = gymnasium.make(name, **{**settings, **SHORT.get(name, {})})
    observation, begin = env.reset(seed=2)
    clock = "time_s" if "time_s" in begin else "clock_s"
    now, passed, done = begin[clock], 0.0, False
    assert begin["elapsed_s"] == 0.0
    while not done:
        action = legal(env.action_space, observation["action_mask"])
        observation, _, terminated, truncated, info = env.step(action)
        assert info.keys() == begin.keys()
        assert info["costs"].keys() == begin["costs"].keys()
        passed += info["elapsed_s"]
        assert info[clock] == pytest.approx(now + passed)
        done = terminated or truncated
    assert passed > 0.0


ENDED = {"final_obs", "_final_obs", "final_info", "_final_info"}
"""Keys of the infos of a step that ends episodes."""


@pytest.mark.parametrize("observation", ["dict", "flat"])
def test_random_legal_play_stays_inside_the_bounds(name, settings, observation):
    count = 16
    env = gymnasium.make_vec(name, num_envs=count, observation=observation, **settings)
    env.action_space.seed(0)
    seen, begin = env.reset(seed=11)
    rng, shape = np.random.default_rng(3), choices(env.single_action_space)
    for _ in range(5_000 // count):
        assert env.observation_space.contains(seen)
        masks = env.unwrapped.action_masks()
        drawn = np.where(masks, rng.random(masks.shape), -1.0)
        parts = np.split(drawn, np.cumsum(shape)[:-1], axis=1)
        actions = np.stack([part.argmax(axis=1) for part in parts], axis=1)
        seen, *_, infos = env.step(actions.reshape(zeros(env).shape))
        assert infos.keys() - ENDED == begin.keys()
        assert infos["costs"].keys() == begin["costs"].keys()
        assert not infos["costs"]["illegal_action"].any()


ENDLESS = {
    "PandaGrid/Placement-v0": {"jobs": 5_000},
    "PandaGrid/DataPlacement-v0": {"jobs": 5_000, "storage": True},
    "PandaGrid/Pipelines-v0": {"days": 120.0},
    "PandaGrid/Workflow-v0": {
        "workflow": random_workflow("campaign", 0, layers=60),
        "granularity": "task",
    },
}
"""Settings whose episodes have at least 5,000 decisions."""


@pytest.mark.long
def test_a_long_episode_stays_inside_the_bounds(name, settings):
    env, steps, done = gymnasium.make(name, **{**settings, **ENDLESS[name]}).unwrapped, 0, False
    env.action_space.seed(0)
    seen, begin = env.reset(seed=1)
    while not done:
        assert env.observation_space.contains(seen)
        action = legal(env.action_space, seen["action_mask"])
        seen, _, terminated, truncated, info = env.step(action)
        assert info.keys() == begin.keys()
        assert info["costs"].keys() == begin["costs"].keys()
        assert info["costs"]["illegal_action"] == 0.0
        steps, done = steps + 1, terminated or truncated
    assert env.observation_space.contains(seen)
    assert steps >= 5_000


LOGGED = ("PandaGrid/Pipelines-v0", "PandaGrid/Workflow-v0")
"""Families whose logs are tables of tasks and decisions."""


@pytest.mark.parametrize("name", LOGGED)
def test_every_episode_is_logged(name, tmp_path):
    settings = {**SHORT[name], "log": tmp_path / "logs", "log_level": "events"}
    env = gymnasium.make_vec(name, num_envs=2, **settings)
    observation, _ = env.reset(seed=3)
    paid, logs = np.zeros(2), 0
    while logs < 3:
        actions = np.argmax(observation["action_mask"], axis=1)
        observation, rewards, terminated, truncated, _ = env.step(actions)
        paid += rewards
        for e in np.flatnonzero(terminated | truncated):
            found = EpisodeTables.read(tmp_path / "logs" / f"episode-{logs:06d}.parquet")
            assert found.about["environment"] == name
            assert found.about["return"] == pytest.approx(paid[e])
            assert found.decisions["reward"].sum() == pytest.approx(paid[e])
            assert found.about["decisions"] == len(found.decisions["action"])
            assert not (found.tasks["start_s"] < found.tasks["ready_s"]).any()
            logs, paid[e] = logs + 1, 0.0
    with pytest.raises(SettingError, match="writes no log"):
        copy.deepcopy(env.unwrapped)
    with pytest.raises(SettingError, match="a folder"):
        gymnasium.make_vec(name, num_envs=2, log=tmp_path / "run.parquet")
    with pytest.raises(StreamError, match="the log of an episode"):
        EpisodeTables.read(tmp_path / "run.parquet")


@pytest.mark.parametrize("name", LOGGED)
def test_one_file_is_rewritten_by_each_episode(name, tmp_path):
    env = gymnasium.make(name, log=tmp_path / "run.parquet", **SHORT[name])
    for seed in (0, 1):
        env.reset(seed=seed)
        while not any(env.step(0)[2:4]):
            pass
    found = EpisodeTables.read(tmp_path / "run.parquet")
    assert found.level == "jobs"
    assert [path.name for path in tmp_path.iterdir()] == ["run.parquet"]


def test_stable_baselines3_makes_it_by_its_id(name, settings):
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_util import make_vec_env

    env = make_vec_env(name, n_envs=2, seed=0, env_kwargs=settings)
    env.reset()
    _, rewards, _, infos = env.step(np.stack([env.action_space.sample() for _ in range(2)]))
    assert rewards.shape == (2,)
    assert set(infos[0]) >= {"cost", "costs"}
    env.close()
