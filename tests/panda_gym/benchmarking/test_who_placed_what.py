"""Benchmarks judge jobs by what the policy did: every attempt of a judged job is its placement."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.benchmarking.episodes import PolicyActor, outcomes
from panda_gym.benchmarking.rollout import rollout
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from tests.panda_gym.placements import ROUGH, small


class Watched(PolicyActor):
    """A policy whose placements are kept: (grid, row) to site."""

    def choose(self, step: int) -> list[np.ndarray]:
        rows, (sites,) = self.batch.simulator.pending[:, 0], super().choose(step)
        if step == 0:
            self.placed: dict[tuple[int, int], int] = {}
        for e in np.flatnonzero(rows >= 0):
            self.placed[int(e), int(rows[e])] = int(sites[e])
        return [sites]


@pytest.mark.parametrize("tail", [0, 60])
@pytest.mark.parametrize("policy", ["random", "earliest_completion"])
def test_every_attempt_of_a_judged_job_is_placed_by_the_policy(policy: str, tail: int) -> None:
    scenario = Scenario.of(**small(jobs=60, tail_jobs=tail, **ROUGH))
    batch = PlacementBatch(scenario, 3)
    actor = Watched(batch, policies.create(policy), [1, 2, 3])
    rollout([batch], [[1, 2, 3]], actor)
    retried = 0
    for e, steps in enumerate(actor.steps()):
        log = batch.log(e, drain=False)
        of_judged = np.flatnonzero(log.judged[log.origin])
        assert log.judged.sum() == 60
        assert {(e, int(row)) for row in of_judged} <= set(actor.placed)
        assert all(log.site[row] == actor.placed[e, int(row)] for row in of_judged)
        assert len(steps["cost"]) == len(of_judged)
        run = outcomes(log, steps, 1.0)
        assert np.isfinite(run.last_end_s[run.judged]).all()
        retried += len(of_judged) - 60
    assert retried > 5


def test_the_standard_benchmark_plays_judged_jobs_to_their_end() -> None:
    scenario = Scenario.of(**small(jobs=60))
    assert scenario.tail_jobs is None
    assert scenario.judged_to_end().tail_jobs == 60
    assert Scenario.of(**small(jobs=60, tail_jobs=5)).judged_to_end().tail_jobs == 5
