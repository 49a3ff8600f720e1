"""Planners over a pending against twins that take one job and one site at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.pending import PendingBatch, PendingDecisions
from tests.oracles import policy_twins as twins
from tests.oracles.observations import encode, natural


def turn_of(
    seed: int, jobs: int = 5, sites: int = 7
) -> tuple[list[PlacementView], PendingDecisions]:
    """The views of one environment's pending, which differ in the job alone, and the pending."""
    rng = np.random.default_rng(seed)
    shared, _ = natural(rng, 1, sites)
    views = []
    for _ in range(jobs):
        values, mask = natural(rng, 1, sites)
        same = {name: shared[name] for name in ("cores", "free_cores", "queued_work", "wait")}
        if seed % 2:
            same["wait"] = shared["wait"] * 0.0
        views.append(PlacementView(encode({**values, **same}, mask)))
    return views, PendingDecisions(PendingBatch(views), 0, np.random.default_rng(1))


def as_plain(pending: PendingDecisions) -> list[list[twins.Site]]:
    """The pending's jobs by site as plain floats."""
    return [
        [
            {
                "transfer": pending.transfer[j, s],
                "wait": pending.wait[j, s],
                "run": pending.run[j, s],
                "cores": pending.cores[j],
                "site_cores": pending.site_cores[s],
                "spare": pending.spare[s],
                "legal": float(pending.mask[j, s]),
            }
            for s in range(pending.mask.shape[1])
        ]
        for j in range(len(pending.rows))
    ]


@pytest.mark.parametrize("name", ["min_min", "max_min", "heft"])
def test_planners_follow_their_order(name: str) -> None:
    for seed in range(12):
        views, pending = turn_of(seed)
        expected = twins.turn_plan(name, as_plain(pending))
        chosen = policies.create(name).choose_pending(views, np.random.default_rng(1))[0]
        np.testing.assert_array_equal(chosen, expected)


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_assignment_is_the_best_of_all(jobs: int) -> None:
    for seed in range(6):
        views, pending = turn_of(seed, jobs=jobs, sites=4)
        plain = as_plain(pending)
        legal = [[s for s in range(4) if pending.mask[j, s]] for j in range(jobs)]
        values = {plan: twins.assignment_value(plain, plan) for plan in itertools.product(*legal)}
        policy = policies.create("assignment", gap=0.0)
        chosen = tuple(policy.choose_pending(views, np.random.default_rng(1))[0].tolist())
        assert values[chosen] == pytest.approx(min(values.values()), abs=1e-6)


def test_a_place_without_a_job_takes_part_in_nothing() -> None:
    views, _ = turn_of(3)
    empty = {part: views[0].codes(part).copy() for part in ("sites", "job", "grid")}
    empty["job"][:] = 0.0
    empty["action_mask"] = np.ones_like(views[0].mask, dtype=np.int8)
    for name in ("min_min", "max_min", "heft", "assignment"):
        policy = policies.create(name)
        whole = policy.choose_pending(views, np.random.default_rng(1))
        rng = np.random.default_rng(1)
        longer = policy.choose_pending([*views, PlacementView(empty)], rng)
        np.testing.assert_array_equal(longer[:, :-1], whole)


def test_any_policy_answers_a_turn() -> None:
    views, _ = turn_of(4)
    observation = {
        part: np.stack([view.codes(part) for view in views], axis=1)
        for part in ("sites", "job", "grid", "action_mask")
    }
    policy = policies.create("earliest_completion")
    sites = policy(observation, np.random.default_rng(0))
    assert sites.shape == (1, 5)
    rng = np.random.default_rng(0)
    assert sites[0].tolist() == [int(policy.choose(view, rng)[0]) for view in views]
