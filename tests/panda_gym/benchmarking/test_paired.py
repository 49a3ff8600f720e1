"""Worlds are paired: with failures, outages and competing load on, two policies meet the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking.episodes import play
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.simulator import EpisodeLog
from panda_gym.simulator.state import CAUSES, EARLY, KINDS, LATE
from tests.panda_gym.placements import ROUGH, small

SITE_KINDS = [KINDS.index(k) for k in ("site_up", "site_brown", "site_down", "competing_load")]


class Hopper(policies.Policy):
    """The n-th job goes to the n-th legal site, another n at every step."""

    def reset(self, envs: int) -> None:
        self.turn = 0

    def choose(self, view: PlacementView, rng: np.random.Generator) -> Any:
        self.turn += 1
        return np.array([np.flatnonzero(row)[self.turn % row.sum()] for row in view.mask])


def run(policy: policies.Policy, seed: int, **changes: Any) -> tuple[EpisodeLog, np.ndarray]:
    """The drained log and the events of one episode."""
    batch = PlacementBatch(
        Scenario.of(**small(jobs=120, events=100_000, **{**ROUGH, **changes})), 1
    )
    play(batch, policy, [seed])
    return batch.simulator.log(0), batch.simulator.events(0)


@pytest.fixture(scope="module")
def pair() -> list[tuple[EpisodeLog, np.ndarray]]:
    return [run(policies.create("least_loaded"), 4), run(Hopper(), 4)]


def firsts(log: EpisodeLog) -> np.ndarray:
    return np.flatnonzero(log.attempt == 1)


def test_the_policies_decide_otherwise(pair: list[tuple[EpisodeLog, np.ndarray]]) -> None:
    (one, _), (other, _) = pair
    n = len(firsts(one))
    assert (one.site[:n] != other.site[:n]).mean() > 0.3


def test_the_same_jobs_arrive(pair: list[tuple[EpisodeLog, np.ndarray]]) -> None:
    (one, _), (other, _) = pair
    for name in ("arrival_s", "cores", "workload_true", "workload_pred"):
        a, b = getattr(one, name)[firsts(one)], getattr(other, name)[firsts(other)]
        np.testing.assert_array_equal(a, b)


def test_sites_go_down_and_are_loaded_at_the_same_times(
    pair: list[tuple[EpisodeLog, np.ndarray]],
) -> None:
    end = min(log.now_s for log, _ in pair)
    told = []
    for _, events in pair:
        chosen = events[np.isin(events["kind"], SITE_KINDS) & (events["time"] < end)]
        table = np.stack([chosen[k] for k in ("time", "site", "kind", "other")], axis=1)
        told.append(table[np.lexsort(table.T[::-1])])
    assert len(told[0]) > 50
    assert set(SITE_KINDS) <= set(told[0][:, 2].astype(int).tolist())
    np.testing.assert_array_equal(*told)


def test_an_attempt_at_the_same_site_fails_or_not_in_both() -> None:
    calm = {"outages": None, "limits": None, "competing": None}
    logs = [run(p, 9, **calm)[0] for p in (policies.create("least_loaded"), Hopper())]
    fates = []
    for log in logs:
        placed = np.flatnonzero((log.site >= 0) & np.isfinite(log.end_s))
        key = zip(log.origin[placed], log.attempt[placed], log.site[placed], strict=True)
        what = zip(log.cause[placed], log.end_s[placed] - log.start_s[placed], strict=True)
        fates.append(dict(zip(key, what, strict=True)))
    shared = fates[0].keys() & fates[1].keys()
    assert len(shared) >= 10
    for key in shared:
        assert fates[0][key][0] == fates[1][key][0], CAUSES[fates[0][key][0]]
        assert fates[0][key][1] == pytest.approx(fates[1][key][1], rel=1e-9)
    assert {EARLY, LATE} & {cause for cause, _ in fates[0].values()}


def test_the_same_policy_twice_is_the_same_run() -> None:
    batch = PlacementBatch(Scenario.of(**small(**ROUGH)), 2)
    first, again = (play(batch, policies.create("least_loaded"), [1, 2]) for _ in range(2))
    assert first == again


def test_the_log_names_the_project_of_every_attempt() -> None:
    settings = small(jobs=120, **ROUGH)
    stream = settings["stream"]
    codes = (np.arange(len(stream)) % 3).astype(np.int16)
    levels = {**stream.levels, "project": ("a", "b", "c")}
    settings["stream"] = replace(stream, project=codes, levels=levels)
    batch = PlacementBatch(Scenario.of(**settings), 1)
    play(batch, policies.create("random"), [3])
    log = batch.log(0, drain=False)
    assert (log.attempt > 1).any()
    np.testing.assert_array_equal(log.project, log.project[log.origin])
    window = np.flatnonzero((log.attempt == 1) & (log.arrival_s > 0.0))
    steps = np.diff(log.project[window].astype(int)) % 3  # jobs follow each other in the stream
    assert (steps == 1).mean() > 0.95
