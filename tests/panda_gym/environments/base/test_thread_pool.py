"""Claims about threads: they share the grids without a gap, and change no result."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import panda_gym
from panda_gym.environments.base.thread_pool import ThreadPool
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.errors import SettingError
from tests.panda_gym.test_mechanisms import EVERYTHING, small


@given(count=st.integers(0, 40), threads=st.integers(1, 9))
def test_ranges_are_shared_without_gap_or_overlap(count: int, threads: int) -> None:
    met: list[int] = []
    ThreadPool(threads).share(count, lambda first, last: met.extend(range(first, last)))
    assert sorted(met) == list(range(count))


@pytest.mark.parametrize("threads", [1, 3])
def test_what_goes_wrong_in_a_thread_is_raised_once(threads: int) -> None:
    def work(first: int, last: int) -> None:
        if last == 9:
            raise ValueError("the last range")

    pool = ThreadPool(threads)
    met: list[int] = []
    with pytest.raises(ValueError, match="the last range"):
        pool.share(9, work)
    pool.submit(met.append, 1)
    pool.wait()
    assert met == [1]


@pytest.mark.parametrize("threads", [0, -2, 1.5, True, "two"])
def test_a_wrong_number_of_threads_is_one_clear_error(threads: Any) -> None:
    with pytest.raises(SettingError, match="at least one thread"):
        panda_gym.sb3_vec_env(2, threads=threads)


def test_a_vector_of_grids_is_the_same_by_any_number_of_threads() -> None:
    settings = small(**EVERYTHING)
    one, many = PlacementVectorEnv(5, **settings), PlacementVectorEnv(5, threads=3, **settings)
    library = panda_gym.sb3_vec_env(5, seed=7, threads=8, **settings)
    seen, again, third = one.reset(seed=7)[0], many.reset(seed=7)[0], library.reset()
    one.action_space.seed(1)
    for _ in range(settings["jobs"] + 5):  # into the second episode
        for name, part in seen.items():
            np.testing.assert_array_equal(part, again[name])
            np.testing.assert_array_equal(part, third[name])
        actions = one.action_space.sample()
        seen, rewards, *_ = one.step(actions)
        again, same, *_ = many.step(actions)
        third, paid, *_ = library.step(actions)
        np.testing.assert_array_equal(rewards, same)
        np.testing.assert_array_equal(rewards.astype(np.float32), paid)


def test_a_forked_child_gets_threads_of_its_own() -> None:
    pool = ThreadPool(3)
    pool.share(9, lambda first, last: None)
    child = os.fork()
    if child == 0:
        met: list[int] = []
        pool.share(9, lambda first, last: met.extend(range(first, last)))
        os._exit(0 if sorted(met) == list(range(9)) else 1)
    deadline = time.monotonic() + 60.0
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.05)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended[0] == child
    assert os.waitstatus_to_exitcode(ended[1]) == 0
