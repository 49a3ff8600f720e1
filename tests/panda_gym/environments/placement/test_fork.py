"""A fork has the same observed past and fresh draws for the rest; a copy stays exact."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest

import panda_gym  # noqa: F401
from panda_gym.simulator.state import CAUSES
from tests.panda_gym.placements import ROUGH, small

ENDED = ("finished", "failed", "closed", "cancelled")


def played(steps: int, **changes: Any) -> Any:
    """An environment after some random decisions."""
    env = gymnasium.make("PandaGrid/Placement-v0", **small(jobs=80, **ROUGH, **changes)).unwrapped
    observation, _ = env.reset(seed=4)
    rng = np.random.default_rng(0)
    for _ in range(steps):
        observation = env.step(rng.choice(np.flatnonzero(observation["action_mask"])))[0]
    return env


def rewards(env: Any, steps: int = 25) -> list[float]:
    """True rewards and times of the same decisions in that environment."""
    found = []
    for _ in range(steps):
        mask = env.batch.simulator.mask[0]
        info = env.step(int(np.flatnonzero(mask)[0]))[4]
        found += [info["reward_true"], info["time_s"]]
    return found


def test_a_fork_shows_the_same_past_and_another_future() -> None:
    env = played(30)
    aside = env.fork(1)
    ours, theirs = env.batch.observe_one(0), aside.batch.observe_one(0)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])
    before, after = env.episode_log(drain=False), aside.episode_log(drain=False)
    over = np.flatnonzero(np.isin(before.state, ENDED))
    assert len(over) > 20
    for column in ("site", "arrival_s", "start_s", "end_s", "state", "workload_true"):
        np.testing.assert_array_equal(getattr(before, column)[over], getattr(after, column)[over])
    here = before.arrival_s <= before.now_s
    np.testing.assert_array_equal(before.workload_pred[here], after.workload_pred[here])
    open_ = np.flatnonzero(~np.isin(before.state, ENDED) & (before.site >= 0))
    assert (before.workload_true[open_] != after.workload_true[open_]).mean() > 0.9
    running = np.flatnonzero(after.state == "running")
    assert (after.end_s[running] > after.now_s).all()
    assert rewards(aside) != rewards(copy.deepcopy(env))


def test_a_copy_is_exact_and_forks_are_reproducible() -> None:
    env = played(30)
    same = copy.deepcopy(env)
    one, again, other = env.fork(7), env.fork(7), env.fork(8)
    assert rewards(one) == rewards(again)
    assert rewards(same) == rewards(env)
    assert rewards(env.fork(7), 5) != rewards(other, 5)


@pytest.mark.parametrize("steps", [0, 1, 40])
def test_a_forked_episode_runs_to_its_end_and_conserves_cores(steps: int) -> None:
    env = played(steps, tail_jobs=20, cancellations={"share": 0.2, "mean_s": 5000.0}, pilot_s=60.0)
    for seed in range(5):
        aside = env.fork(seed)
        w, rng = aside.batch.simulator.world, np.random.default_rng(seed)
        while not aside.batch.simulator.done[0]:
            sites = w.sites[0]
            used = sites["free"] + sites["used"] + sites["competing_cores"] + sites["offline_cores"]
            np.testing.assert_array_equal(used, w.site_static["cores"])
            aside.step(rng.choice(np.flatnonzero(aside.batch.simulator.mask[0])))
        log = aside.episode_log()
        assert log.judged.sum() == 80
        assert np.isin(log.state[log.site >= 0], ENDED).all()
        assert w.grids["unfinished"][0] == 0
        placed = log.site >= 0
        assert (log.end_s[placed] >= log.placed_s[placed]).all()


def test_the_work_of_forks_follows_the_errors_of_the_predictions() -> None:
    env = played(30)
    stream = env.batch.stream
    law = np.log(stream.workload_true / stream.workload_pred)
    found = []
    for seed in range(40):
        log = env.fork(seed).episode_log(drain=False)
        waiting = np.flatnonzero((log.state == "activated") | (log.state == "assigned"))
        found.append(np.log(log.workload_true[waiting] / log.workload_pred[waiting]))
    drawn = np.concatenate(found)
    assert drawn.mean() == pytest.approx(law.mean(), abs=4.0 * law.std() / np.sqrt(len(drawn)))
    assert drawn.std() == pytest.approx(law.std(), rel=0.2)


def test_a_vector_environment_forks_every_episode() -> None:
    env = gymnasium.make_vec("PandaGrid/Placement-v0", num_envs=2, **small(**ROUGH)).unwrapped
    env.reset(seed=3)
    for _ in range(10):
        env.step(env.batch.simulator.mask.argmax(axis=1))
    aside = env.fork(1)
    np.testing.assert_array_equal(env.batch.simulator.flat, aside.batch.simulator.flat)
    for e in range(2):
        ours, theirs = env.episode_log(e, drain=False), aside.episode_log(e, drain=False)
        assert (ours.workload_true != theirs.workload_true).any()


def test_a_fork_keeps_requests_and_kills_by_them() -> None:
    rules = {"discipline": "conservative", "requested_factor": 0.7, "kill_at_requested": True}
    env = played(30, load=3.0, **rules)
    aside = env.fork(2)
    requests = env.batch.simulator.world.requests[0]
    assert np.isfinite(requests["reserved"]).any()
    forked = aside.batch.simulator.world.requests[0]
    np.testing.assert_array_equal(forked["reserved"], requests["reserved"])
    log = aside.episode_log()
    begun = np.isfinite(log.start_s)
    speed = aside.batch.simulator.world.site_static["speed"][log.site]
    most = 0.7 * log.workload_pred / (log.cores * speed)
    assert (log.run_s[begun] <= most[begun] + 1e-6).all()
    killed = log.cause == CAUSES.index("requested_limit")
    assert killed.sum() > 10
    np.testing.assert_allclose(log.run_s[killed], most[killed])
