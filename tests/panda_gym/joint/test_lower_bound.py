"""The bound is below every makespan, and packing proofs are right."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from panda_gym.errors import InstanceError
from panda_gym.joint import Instance, lower_bound, random_instance, solve
from panda_gym.joint.lower_bound import relaxation, simple_bound
from panda_gym.joint.packing_proof import GRID, Packing, fullest, is_impossible
from tests.panda_gym.joint.instances import optimum, small, tiny


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("work_per_size", [0.0, 1e-3, 0.3, 3.0])
def test_it_is_below_the_optimum(seed: int, work_per_size: float) -> None:
    instance = tiny(seed, work_per_size)
    assert 0.0 < lower_bound(instance) <= optimum(instance) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_below_what_the_search_finds(seed: int) -> None:
    instance = small(seed, work_per_size=(2e-4, 20.0)[seed % 2])
    found = solve(instance, steps=100_000, cpu_s=60.0).makespan_s
    bound_s = lower_bound(instance)
    assert bound_s <= found * (1 + 1e-9)
    assert bound_s >= simple_bound(relaxation(instance, instance.jobs))


def test_it_is_near_where_packing_decides() -> None:
    instance = random_instance(3, jobs=30, nodes=20, local_stores=6)
    found = solve(instance, steps=400_000, cpu_s=60.0).makespan_s
    bound_s = lower_bound(instance)
    assert bound_s > 1.02 * simple_bound(relaxation(instance, instance.jobs))
    assert found / bound_s < 1.02


def test_many_speeds_and_many_jobs_share_classes_and_groups() -> None:
    instance = random_instance(0, jobs=300, nodes=20, local_stores=4)
    object.__setattr__(instance, "speed", np.linspace(8000.0, 32000.0, 20))
    relaxed = relaxation(instance, 250)
    assert relaxed.hold.shape == (250, 12)
    assert (relaxed.jobs.sum(), relaxed.nodes.sum()) == (300, 20)
    assert lower_bound(instance, cpu_s=0.3) <= solve(instance, "list").makespan_s


@pytest.mark.parametrize("seed", range(10))
def test_the_fullest_bin_is_that_of_all_contents(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = rng.integers(GRID // 6, GRID + 2, 4)
    prices, items = rng.uniform(0.0, 1.0, 4), rng.integers(1, 3, 4)
    worth, content = fullest(units, prices, items)
    best = max(
        np.dot(prices, one)
        for one in product(*(range(n + 1) for n in items))
        if np.dot(units, one) <= GRID
    )
    assert worth == pytest.approx(best)
    assert np.dot(prices, content) == pytest.approx(best)
    assert np.dot(units, content) <= GRID
    assert (content <= items).all()


def test_proofs() -> None:
    bins = np.array([2, 1])
    halves = np.full((1, 2), 0.51)
    assert not is_impossible(Packing(halves, np.array([3]), bins), {}, 9.0)[0]
    assert is_impossible(Packing(halves, np.array([4]), bins), {}, 9.0)[0]
    only_first = np.array([[0.4, np.inf]])
    assert not is_impossible(Packing(only_first, np.array([4]), bins), {}, 9.0)[0]
    assert is_impossible(Packing(only_first, np.array([5]), bins), {}, 9.0)[0]
    assert is_impossible(Packing(np.full((1, 2), 1.1), np.array([1]), bins), {}, 9.0)[0]


def test_a_known_makespan_and_a_budget_end_the_search() -> None:
    instance = random_instance(3, jobs=30, nodes=20, local_stores=6)
    low = simple_bound(relaxation(instance, 30))
    assert lower_bound(instance, below_s=low) == low
    assert lower_bound(instance, cpu_s=1e-9) == low
    with pytest.raises(InstanceError, match="budget above 0"):
        lower_bound(instance, cpu_s=0.0)


def test_the_longest_transfer_need_not_be_the_last() -> None:
    instance = Instance(
        name="late and small",
        work_per_size=0.0,
        size=np.array([1.0, 5.0]),
        source=np.array([0, 1]),
        first=np.array([0, 2]),
        inputs=np.array([0, 1]),
        speed=np.ones(1),
        remote_bandwidth=np.array([[0.1], [50.0]]),
        local_bandwidth=np.ones((1, 1)),
    )
    assert lower_bound(instance) == pytest.approx(11.0)  # 10 to the store, 1 to the node
    assert optimum(instance) == pytest.approx(11.0)
