"""Formulas against slow twins that take one site at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import SITE_FEATURES, PlacementView
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.environments.placement.policies.panda_analysis import PandaAnalysis
from panda_gym.environments.placement.policies.panda_analysis_original import PandaAnalysisOriginal
from panda_gym.environments.placement.policies.production_weight import production_weight
from tests.oracles import policy_twins as twins
from tests.oracles.observations import encode, natural

RANKINGS = [
    "earliest_completion",
    "fastest",
    "least_loaded",
    "least_queued",
    "least_queued_per_slot",
]


def scenes(
    count: int = 12,
) -> Iterator[tuple[PlacementView, list[list[twins.Site]], list[twins.Site]]]:
    """Views with the natural numbers of each environment's sites and job."""
    for seed in range(count):
        values, mask = natural(np.random.default_rng(seed), 4, 15)
        if seed % 3 == 0:  # long queues everywhere: every site is skipped
            values["activated"] += 2000
        sites = [
            [{f.name: float(values[f.name][e, s]) for f in SITE_FEATURES} for s in range(15)]
            for e in range(4)
        ]
        jobs = [
            {key[4:]: float(values[key][e, 0]) for key in values if key.startswith("job_")}
            for e in range(4)
        ]
        yield PlacementView(encode(values, mask)), sites, jobs


@pytest.mark.parametrize("scale", [1.0, 0.05])
def test_production_weight_is_the_formula(scale: float) -> None:
    for view, sites, jobs in scenes():
        expected = [
            twins.production_weights(sites[e], jobs[e], view.mask[e].tolist(), scale)
            for e in range(4)
        ]
        np.testing.assert_allclose(production_weight(view, scale), expected, rtol=2e-3)


@pytest.mark.parametrize("scale", [1.0, 0.05])
def test_analysis_weights_are_the_formulas(scale: float) -> None:
    for view, sites, jobs in scenes():
        original = [twins.analysis_original_weights(sites[e], jobs[e], scale) for e in range(4)]
        np.testing.assert_allclose(PandaAnalysisOriginal(scale).weight(view), original, rtol=2e-3)
        current = [
            twins.analysis_weights(sites[e], jobs[e], view.mask[e].tolist(), scale)
            for e in range(4)
        ]
        np.testing.assert_allclose(PandaAnalysis(scale).weight(view), current, rtol=2e-3, atol=1e-5)


def test_level_queues_weigh_alike_for_analysis() -> None:
    values, mask = natural(np.random.default_rng(0), 2, 6, legal=1.0)
    values["activated"][:] = 7
    values["assigned"][:] = 0
    values["local_share"][:] = 0
    weight = PandaAnalysis().weight(PlacementView(encode(values, mask)))
    np.testing.assert_allclose(weight, 1 / 6)


@pytest.mark.parametrize("name", RANKINGS)
def test_a_ranking_takes_what_its_twin_ranks_highest(name: str) -> None:
    policy = policies.create(name)
    assert isinstance(policy, Ranking)
    for view, sites, jobs in scenes():
        expected = [[twins.scores(name, s, jobs[e]) for s in sites[e]] for e in range(4)]
        np.testing.assert_allclose(policy.score(view), expected, rtol=1e-3)


def test_data_locality_is_lexicographic() -> None:
    policy = policies.create("data_locality")
    for seed in range(12):
        values, mask = natural(np.random.default_rng(seed), 4, 15)
        chosen = policy(encode(values, mask), np.random.default_rng(0))
        for env in range(4):
            ranks = [
                (
                    values["local_share"][env, s],
                    -values["transfer"][env, s] - values["wait"][env, s],
                )
                for s in range(15)
            ]
            legal = [s for s in range(15) if mask[env, s]]
            assert chosen[env] == max(legal, key=lambda s: ranks[s])


def test_wait_weight_moves_earliest_completion_to_short_queues() -> None:
    view, _, _ = next(scenes(1))
    start = view.site("transfer") + view.site("wait")
    heavy = policies.create("earliest_completion", wait_weight=1e6)
    observed = heavy.choose(view, np.random.default_rng(0))
    np.testing.assert_array_equal(observed, np.where(view.mask, start, np.inf).argmin(axis=1))


def test_constant_scale_shrinks_the_formula_with_the_platform() -> None:
    values, mask = natural(np.random.default_rng(5), 3, 9)
    small = {key: value.copy() for key, value in values.items()}
    for name in ("running", "activated", "assigned", "free_cores"):
        small[name] = small[name] / 50
    full = production_weight(PlacementView(encode(values, mask)), 1.0)
    scaled = production_weight(PlacementView(encode(small, mask)), 1 / 50)
    np.testing.assert_allclose(scaled, full, rtol=2e-3)
