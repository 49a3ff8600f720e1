"""The table of objectives: every row means in training what it means in a benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking.episodes import PolicyActor, outcomes
from panda_gym.benchmarking.measures import MEASURE, measure
from panda_gym.benchmarking.rollout import rollout
from panda_gym.credit import (
    OBJECTIVES,
    TERMS,
    Objective,
    difference_rewards,
    external_costs,
    find_objective,
)
from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.policies.base import Memoryless
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError
from panda_gym.training import DifferenceRewardConfig
from panda_gym.training.parallel_episodes import ParallelEpisodes
from tests.panda_gym.placements import small

SETTINGS: dict[str, Any] = small(jobs=40, warmup=0, load=1.6, tail_jobs=0)
FAILING: dict[str, Any] = {**SETTINGS, "limits": {"activated_s": 900.0}, "retries": True}


def played(settings: dict[str, Any]) -> tuple[PlacementBatch, dict[str, float]]:
    """A finished episode of a random policy, and its measures in a benchmark."""
    batch = PlacementBatch(Scenario.of(**settings), 1)
    actor = PolicyActor(batch, policies.create("random"), [3])
    rollout([batch], [[3]], actor)
    log = batch.log(0, drain=False)
    cores = float(batch.platform.cores.sum())
    return batch, measure(outcomes(log, actor.steps()[0], cores))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: one.name)
@pytest.mark.parametrize("settings", [SETTINGS, FAILING], ids=["calm", "failing"])
def test_own_costs_add_up_to_the_objective_of_the_benchmark(
    settings: dict[str, Any], objective: Objective
) -> None:
    """Times once a job, at its first attempt; what attempts spend at every attempt."""
    batch, measures = played(settings)
    log, own = batch.log(0, drain=False), replace(objective, external=0.0)
    spent = replace(own, ln_slowdown=0.0, turnaround_h=0.0, weighted_turnaround_h=0.0)
    prices = ("wan_tb", "wasted_core_h", "energy_kwh", "carbon_kg")
    times = replace(own, **dict.fromkeys(prices, 0.0))
    of_judged = log.judged[log.origin]
    total = -difference_rewards(batch.simulator, 0, log, times)[log.judged].sum()
    total += -difference_rewards(batch.simulator, 0, log, spent)[of_judged].sum()
    assert total / 40 == pytest.approx(objective.value(measures, 40), rel=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: one.name)
def test_every_row_is_whole_and_taken_by_all_who_read_the_table(objective: Objective) -> None:
    assert objective.formula
    assert objective.unit
    assert objective.source
    assert objective.direction == "low"
    assert set(objective.weights()) == {term.name for term in TERMS}
    assert any(objective.weights().values())
    assert find_objective(objective.name) is objective
    assert DifferenceRewardConfig(objective=objective.name)
    times = objective.ln_slowdown + objective.turnaround_h + objective.weighted_turnaround_h
    assert times > 0.0 or objective.external == 0.0
    PlacementBatch(Scenario.of(**SETTINGS), 1, objective=objective.name)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: one.name)
def test_the_held_out_objective_is_the_benchmarks(objective: Objective) -> None:
    episodes = ParallelEpisodes([SETTINGS], 1, objective=objective.name)
    credit = episodes.play([[3]], lambda step, parts: parts[3].argmax(dim=1))
    batch = PlacementBatch(Scenario.of(**SETTINGS), 1)
    actor = PolicyActor(batch, _First(), [3])
    rollout([batch], [[3]], actor)
    cores = float(batch.platform.cores.sum())
    measures = measure(outcomes(batch.log(0, drain=False), actor.steps()[0], cores))
    assert credit.objective[0] == pytest.approx(objective.value(measures, 40), rel=1e-9)


class _First(Memoryless):
    """The first legal site."""

    def choose(self, view: Any, rng: np.random.Generator) -> np.ndarray:
        return view.mask.argmax(axis=1)


def test_terms_name_measures_of_the_benchmark() -> None:
    assert all(MEASURE[term.measure].better == "low" for term in TERMS)
    assert len({one.name for one in OBJECTIVES}) == len(OBJECTIVES)


def test_external_costs_are_linear_in_the_weights() -> None:
    batch, _ = played(SETTINGS)
    log = batch.log(0, drain=False)
    one, other = find_objective("ln_slowdown"), find_objective("mean_turnaround")
    both = replace(one, ln_slowdown=2.0, turnaround_h=0.5)
    costs = [external_costs(batch.simulator, 0, log, row) for row in (one, other, both)]
    assert (costs[1] > 0.0).sum() > 5
    np.testing.assert_allclose(costs[2], 2.0 * costs[0] + 0.5 * costs[1], atol=1e-9)


def test_an_unknown_objective_names_the_nearest() -> None:
    with pytest.raises(SettingError, match="mean_turnaround"):
        find_objective("mean_turnarund")


def test_the_guide_lists_the_table_as_it_is() -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "credit.md").read_text()
    for one in OBJECTIVES:
        cells = (f"`{one.name}`", one.formula, one.unit, f"{one.external:g}", one.source)
        assert f"| {' | '.join(cells)} |" in page
