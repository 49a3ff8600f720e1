"""Settled decisions of a vector environment: each once, with what its episode says it cost."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest

from panda_gym.credit import CreditRecorder, external_costs, find_objective, own_costs
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.environments.placement.vector_env import PlacementVectorEnv
from panda_gym.errors import SettingError
from tests.oracles.worlds import make_platform, make_stream
from tests.panda_gym.placements import ROUGH, small

JOBS = 12
SETTINGS: dict[str, Any] = small(jobs=JOBS, warmup=40, load=1.3)


def stepped(env: Any, steps: int, rng: np.random.Generator) -> list[tuple[int, int, int, float]]:
    """(env, episode, decision, reward) of all that is settled in so many random steps."""
    found = []
    for _ in range(steps):
        race = rng.random(env.action_masks().shape) * env.action_masks()
        env.step(race.argmax(axis=1))
        got = env.settled()
        columns = (got.env, got.episode, got.decision, got.reward)
        found += list(zip(*(one.tolist() for one in columns), strict=True))
    return found


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
@pytest.mark.parametrize("rough", [False, True])
def test_every_decision_is_settled_exactly_once(mode: str, rough: bool) -> None:
    settings = {**SETTINGS, **(ROUGH | {"tail_jobs": 10} if rough else {})}
    env = PlacementVectorEnv(3, objective="ln_slowdown", autoreset_mode=mode, **settings)
    env.reset(seed=1)
    found = stepped(env, 150 if rough else 40, np.random.default_rng(0))
    keys = [one[:3] for one in found]
    assert len(set(keys)) == len(keys)
    assert {one[0] for one in found} == {0, 1, 2}
    for e in range(3):
        for episode in {one[1] for one in found if one[0] == e}:
            own = [one[2] for one in found if one[:2] == (e, episode)]
            assert own == list(range(len(own)))
            assert len(own) == JOBS or rough
    assert np.isfinite([one[3] for one in found]).all()


def test_modes_settle_the_same_and_a_copy_settles_for_itself() -> None:
    found = []
    for mode in ("SameStep", "NextStep"):
        env = PlacementVectorEnv(2, objective="balanced", autoreset_mode=mode, **SETTINGS)
        env.reset(seed=4)
        stepped(env, 3, np.random.default_rng(1))
        aside, rng = copy.deepcopy(env), np.random.default_rng(2)
        found += [stepped(env, JOBS - 3, rng), stepped(aside, JOBS - 3, np.random.default_rng(2))]
    assert len(found[0]) == 2 * JOBS
    assert found[0] == found[1] == found[2] == found[3]


def test_a_reset_settles_what_it_cuts_off() -> None:
    env = PlacementVectorEnv(1, objective="ln_slowdown", **SETTINGS)
    env.reset(seed=4)
    assert stepped(env, 3, np.random.default_rng(1)) == []
    env.reset(seed=5)
    got = env.settled()
    assert got.decision.tolist() == [0, 1, 2]
    assert [pair[0] for pair in got.pairs()] == [0, 1, 2]
    assert len(env.settled()) == 0


def without(batch: PlacementBatch, elsewhere: int, sites: list[int]) -> np.ndarray:
    """ln(bounded slowdown) of all jobs if the decision at hand goes where it hinders nobody."""
    aside = copy.deepcopy(batch)
    aside.step(np.array([elsewhere]))
    for site in sites:
        aside.step(np.array([site]))
    return own_costs(aside.log(0))


def test_rewards_are_those_of_a_fork_without_the_decision() -> None:
    """A huge last site that nobody uses takes the job away: what the others gain is its cost."""
    platform = make_platform(4, most_cores=12)
    cores = platform.cores.copy()
    cores[-1] = 100_000
    platform = replace(platform, cores=cores)
    settings = {
        "platform": platform, "stream": make_stream(platform, jobs=300), "scale": 1.0,
        "jobs": 25, "warmup": 0, "running": 0, "load": None, "competing": None, "start": 0,
    }  # fmt: skip
    batch = PlacementBatch(Scenario.of(**settings), 1, objective="ln_slowdown")
    batch.begin([(0, np.random.default_rng(3))])
    rng, states, sites = np.random.default_rng(0), [], []
    for _ in range(25):
        legal = np.flatnonzero(batch.simulator.mask[0, :-1])
        sites.append(int(legal[rng.integers(len(legal))]))
        states.append((copy.deepcopy(batch), int(batch.simulator.pending[0, 0])))
        batch.step(np.array([sites[-1]]))
    settled, own = batch.settled(), own_costs(batch.log(0))
    external = []
    for k, (state, row) in enumerate(states):
        others = without(state, len(cores) - 1, sites[k + 1 :])
        external.append(np.delete(own - others, row).sum())
    expected = -(own[[row for _, row in states]] + np.minimum(external, 10.0))
    np.testing.assert_allclose(settled.reward, expected, atol=1e-7)


def test_no_objective_and_other_actions_are_one_clear_error() -> None:
    env = gymnasium.make_vec("PandaGrid/Placement-v0", num_envs=2, **SETTINGS)
    with pytest.raises(SettingError, match="objective"):
        env.settled()  # type: ignore[attr-defined]
    for changes in ({"decisions": 2}, {"defer": True}):
        with pytest.raises(SettingError, match="one site a decision"):
            PlacementBatch(Scenario.of(**SETTINGS, **changes), 1, objective="ln_slowdown")
    with pytest.raises(SettingError, match="first come, first served"):
        PlacementBatch(Scenario.of(**SETTINGS, discipline="easy"), 1, objective="ln_slowdown")
    PlacementBatch(Scenario.of(**SETTINGS, discipline="easy"), 1, objective="own_ln_slowdown")


def test_the_external_cost_is_clipped() -> None:
    batch = PlacementBatch(Scenario.of(**SETTINGS), 1)
    clipped = replace(find_objective("ln_slowdown"), external_max=0.1)
    recorder = CreditRecorder(batch.simulator, clipped)
    batch.begin([(0, np.random.default_rng(3))])
    while not batch.done.all():
        recorder.record(batch.simulator)
        batch.step(batch.simulator.mask.argmax(axis=1))
    recorder.settle(batch.simulator, 0)
    log = batch.log(0)
    rows = np.arange(log.warmup, log.warmup + JOBS)
    external = external_costs(batch.simulator, 0, log)[rows]
    assert external.max() > 0.1
    expected = own_costs(log)[rows] + np.minimum(external, 0.1)
    np.testing.assert_allclose(recorder.take().reward, -expected)
