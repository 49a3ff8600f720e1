"""Environments are copied and pickled as planners need them: the same state, its own way on."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import panda_gym
from panda_gym.environments.placement.env import PlacementEnv
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.errors import SettingError
from tests.panda_gym.test_mechanisms import EVERYTHING, small


def pickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 (its own)


WAYS: list[Callable[[Any], Any]] = [copy.deepcopy, pickled]


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_an_environment_goes_on_alike_and_alone(way: Callable[[Any], Any]) -> None:
    env = PlacementEnv(**small(**EVERYTHING), render_mode="rgb_array")
    env.reset(seed=3)
    env.action_space.seed(0)
    for _ in range(7):
        env.step(env.action_space.sample())
    frame = env.render()
    other = way(env)
    actions = [env.action_space.sample() for _ in range(9)]
    ours = [env.step(action) for action in actions]  # nothing of it may reach the copy
    np.testing.assert_array_equal(other.render(), frame)
    theirs = [other.step(action) for action in actions]
    for (seen, reward, *_, info), (again, same, *_, known) in zip(ours, theirs, strict=True):
        for name, part in seen.items():
            np.testing.assert_array_equal(part, again[name])
        assert (reward, info) == (same, known)
    np.testing.assert_array_equal(env.reset()[0]["sites"], other.reset()[0]["sites"])


@pytest.mark.parametrize("way", WAYS)
def test_vectors_and_the_library_s_face_are_copied_too(way: Callable[[Any], Any]) -> None:
    vector = PlacementVectorEnv(3, threads=2, **small(**EVERYTHING))
    library = panda_gym.sb3_vec_env(3, seed=5, **small(**EVERYTHING))
    vector.reset(seed=5)
    library.reset()
    actions = np.array([0, 1, 0])
    vector.step(actions)
    library.step(actions)
    one, two = way(vector), way(library)
    assert one.batch.pool.threads == 2
    for _ in range(3):
        seen, rewards, *_ = vector.step(actions)
    for _ in range(3):
        again, same, *_ = one.step(actions)
        third, paid, *_ = two.step(actions)
    np.testing.assert_array_equal(rewards, same)
    np.testing.assert_array_equal(rewards.astype(np.float32), paid)
    for name, part in seen.items():
        np.testing.assert_array_equal(part, again[name])
        np.testing.assert_array_equal(part, third[name])


@pytest.mark.parametrize("way", WAYS)
def test_an_environment_that_writes_a_log_has_no_copy(
    way: Callable[[Any], Any], tmp_path: Path
) -> None:
    env = PlacementEnv(**small(), log=tmp_path / "run.parquet")
    with pytest.raises(SettingError, match="writes no log"):
        way(env)
