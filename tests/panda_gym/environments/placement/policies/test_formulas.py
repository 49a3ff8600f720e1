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
        legal = view.mask.tolist()
        original = [
            twins.analysis_original_weights(sites[e], jobs[e], legal[e], scale) for e in range(4)
        ]
        np.testing.assert_allclose(PandaAnalysisOriginal(scale).weight(view), original, rtol=2e-3)
        current = [twins.analysis_weights(sites[e], jobs[e], legal[e], scale) for e in range(4)]
        np.testing.assert_allclose(PandaAnalysis(scale).weight(view), current, rtol=2e-3, atol=1e-5)


def test_level_queues_weigh_alike_for_analysis() -> None:
    values, mask = natural(np.random.default_rng(0), 2, 6, legal=1.0)
    values["activated"][:] = 7
    values["assigned"][:] = 0
    values["local_share"][:] = 0
    values["failure_rate"][:] = 0
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


BLACK_HOLES = [
    policies.create(name, constant_scale=0.01)
    for name in ("panda_production", "panda_analysis", "panda_analysis_original")
]


@pytest.mark.parametrize("policy", BLACK_HOLES, ids=lambda policy: type(policy).__name__)
def test_panda_leaves_out_sites_that_fail_most_jobs(policy: policies.Policy) -> None:
    values, mask = natural(np.random.default_rng(1), 4, 15, legal=1.0)
    values["failure_rate"][:] = 0.1
    values["failure_rate"][:, :5] = 0.95
    view = PlacementView(encode(values, mask))
    chance = policy.action_probabilities(view, np.random.default_rng(0))
    assert (chance[:, :5] == 0.0).all()
    values["failure_rate"][:] = 0.95  # nowhere is better: all compete
    chance = policy.action_probabilities(
        PlacementView(encode(values, mask)), np.random.default_rng(0)
    )
    np.testing.assert_allclose(chance.sum(axis=1), 1.0)


def test_panda_leaves_out_sites_with_many_jobs_in_transfer() -> None:
    values, mask = natural(np.random.default_rng(1), 4, 15, legal=1.0)
    values["failure_rate"][:], values["assigned"][:], values["running"][:] = 0.0, 0.0, 1.0
    values["local_share"][:], values["activated"][:] = 1.0, 0.0  # no queue is too long
    values["assigned"][:, 3] = 50.0
    view = PlacementView(encode(values, mask))
    closed = production_weight(view, constant_scale=0.01) == 0.0
    assert closed.sum() == closed[:, 3].sum() == 4
    assert (production_weight(view, 0.01, most_transferring=np.inf) > 0.0).all()
    assert (production_weight(view, 1.0) > 0.0).all()


def test_the_dispatching_index_is_the_formula() -> None:
    policy = policies.create("dispatching_index")
    assert isinstance(policy, Ranking)
    for view, sites, jobs in scenes():
        for e in range(4):
            legal = view.mask[e]
            ideal = min(
                site["run"] for site, allowed in zip(sites[e], legal, strict=True) if allowed
            )
            expected = [-twins.dispatching_index(site, jobs[e], ideal) for site in sites[e]]
            np.testing.assert_allclose(policy.score(view)[e], expected, rtol=2e-3)


def test_sita_gives_every_site_its_share_of_the_work_and_long_jobs_fast_cores() -> None:
    values, mask = natural(np.random.default_rng(2), 1, 8, legal=1.0)
    policy, rng = policies.create("sita"), np.random.default_rng(0)
    sizes = np.random.default_rng(1).lognormal(10.0, 1.5, 4000)
    policy.reset(1)
    chosen = []
    for size in sizes:
        values["job_workload_pred"][:] = size
        chosen.append(int(policy(encode(values, mask), rng)[0]))
    late = np.arange(len(sizes)) >= 1000
    work = np.bincount(np.array(chosen)[late], sizes[late], minlength=8)
    capacity = values["cores"][0] * values["power"][0]
    np.testing.assert_allclose(work / work.sum(), capacity / capacity.sum(), atol=0.05)
    means = [np.mean(sizes[late & (np.array(chosen) == s)]) for s in np.argsort(values["power"][0])]
    assert means == sorted(means)


def test_of_few_sites_drawn_by_cores_the_earliest_completion_is_taken() -> None:
    values, mask = natural(np.random.default_rng(4), 1, 6)
    view = PlacementView(encode(values, mask))
    cores = np.where(view.mask, view.site("cores"), 0.0)[0]
    completion = (view.site("transfer") + view.site("wait") + view.site("run"))[0]
    drawn = np.random.default_rng(0).choice(6, (200_000, 3), p=cores / cores.sum())
    best = drawn[np.arange(len(drawn)), completion[drawn].argmin(axis=1)]
    chance = policies.create("least_work_of_few", few=3).action_probabilities(
        view, np.random.default_rng(0)
    )
    np.testing.assert_allclose(np.bincount(best, minlength=6) / len(best), chance[0], atol=0.005)
