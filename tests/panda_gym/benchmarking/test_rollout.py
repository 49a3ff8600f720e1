"""The one loop of decisions: order of calls, several batches, episodes played to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking.rollout import Actor, legal, rollout
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from tests.panda_gym.placements import small

JOBS = 12


class FirstLegal(Actor):
    """Takes the first legal site and notes every call."""

    def __init__(self, batches: list[PlacementBatch]) -> None:
        self.batches, self.calls = batches, []  # type: tuple[list[PlacementBatch], list[tuple[Any, ...]]]

    def begin(self) -> None:
        self.calls.append(("begin",))

    def choose(self, step: int) -> list[np.ndarray]:
        self.calls.append(("choose", step))
        return [batch.simulator.mask.argmax(axis=1) for batch in self.batches]

    def observe(self, k: int, step: int) -> None:
        self.calls.append(("observe", k, step))

    def record(self, k: int, step: int) -> None:
        self.calls.append(("record", k, step))


def made(*loads: float) -> list[PlacementBatch]:
    return [PlacementBatch(Scenario.of(**small(jobs=JOBS, load=load)), 2) for load in loads]


def test_calls_come_in_the_stated_order() -> None:
    batches = made(0.8)
    actor = FirstLegal(batches)
    rollout(batches, [[1, 2]], actor)
    expected: list[tuple[Any, ...]] = [("observe", 0, 0), ("begin",)]
    for step in range(JOBS):
        expected += [("choose", step), ("record", 0, step), ("observe", 0, step + 1)]
    assert actor.calls == expected


@pytest.mark.parametrize("finish", [True, False])
def test_with_finish_every_judged_job_has_ended(finish: bool) -> None:
    batches = made(1.1)
    rollout(batches, [[1, 2]], FirstLegal(batches), finish=finish)
    log = batches[0].log(0, drain=False)
    judged = np.flatnonzero((np.arange(len(log)) >= log.warmup) & (log.site >= 0))
    assert len(judged) >= JOBS
    assert np.isfinite(log.end_s[judged]).all() == finish


def test_a_batch_plays_alike_alone_beside_others_and_in_a_thread() -> None:
    def ends(batches: list[PlacementBatch], each: Callable[..., Iterable[Any]]) -> bytes:
        seeds = [[3, 4]] * len(batches)
        rollout(batches, seeds, FirstLegal(batches), each=each)
        return batches[-1].log(1, drain=False).end_s.tobytes()

    alone = ends(made(1.0), map)
    with ThreadPoolExecutor(2) as pool:
        assert ends(made(0.5, 1.0), map) == ends(made(0.5, 1.0), pool.map) == alone


def test_what_is_no_legal_site_is_refused() -> None:
    mask: np.ndarray = np.array([[1, 0], [1, 1]], dtype=np.int8)
    assert legal([0, 1], mask, "p").dtype == np.int64
    with pytest.raises(PolicyError, match="site 1 in environment 0"):
        legal([1, 1], mask, "p")
    with pytest.raises(PolicyError, match="float64"):
        legal([0.0, 1.0], mask, "p")
