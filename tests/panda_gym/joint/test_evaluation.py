"""The evaluation equals its SimPy twin, keeps every byte, and refuses what exceeds a quota."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from panda_gym.errors import InstanceError
from panda_gym.joint import Schedule, evaluate, ordered, random_instance
from panda_gym.joint.methods.random_placement import random_stores
from tests.oracles.joint_twin import simulate
from tests.panda_gym.joint.instances import small, tiny


def random_schedule(instance, seed: int) -> Schedule:
    rng = np.random.default_rng(seed)
    node = rng.integers(0, instance.nodes, instance.jobs)
    return Schedule(node, rng.permutation(instance.jobs), random_stores(instance, rng))


@pytest.mark.parametrize("seed", range(60))
def test_it_equals_the_twin(seed: int) -> None:
    instance = small(seed)
    schedule = random_schedule(instance, seed)
    found, twin = evaluate(instance, schedule), simulate(instance, schedule)
    for name, values in (
        ("start", found.start_s), ("end", found.end_s), ("stored", found.stored),
        ("read", found.read),
    ):  # fmt: skip
        np.testing.assert_allclose(values, twin[name], rtol=1e-12)
    assert found.makespan_s == pytest.approx(twin["makespan"], rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_sizes_are_conserved_and_quotas_kept(seed: int) -> None:
    instance = small(seed)
    found = evaluate(instance, random_schedule(instance, seed))
    assert found.stored.sum() == pytest.approx(instance.size.sum(), rel=1e-12)
    assert found.read.sum() == pytest.approx(instance.size[instance.inputs].sum(), rel=1e-12)
    assert (found.stored <= instance.quota * (1 + 1e-9)).all()


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_releases_is_the_best(seed: int) -> None:
    instance = tiny(seed)
    rng = np.random.default_rng(seed)
    node, store = rng.integers(0, 2, 3), rng.integers(0, 2, 4)
    found = evaluate(instance, ordered(instance, node, store)).makespan_s
    others = [
        evaluate(instance, Schedule(node, np.array(rank), store)).makespan_s
        for rank in permutations(range(3))
    ]
    assert found == pytest.approx(min(others), rel=1e-12)


def test_by_hand() -> None:
    instance = random_instance(
        0, jobs=1, nodes=1, local_stores=1, remote_stores=1, work_per_size=20.0
    )
    found = evaluate(
        instance, ordered(instance, np.zeros(1, int), np.zeros(instance.datasets, int))
    )
    through = 1.0 / instance.remote_bandwidth[0, 0] + 1.0 / instance.local_bandwidth[0, 0]
    run_s = 20.0 * instance.size.sum() / instance.speed[0]
    assert found.makespan_s == pytest.approx(instance.size.max() * through + run_s, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"store": np.zeros(100, int)}, "quota"),
        ({"node": np.full(12, 4)}, "node from 0 to 3"),
        ({"rank": np.zeros(3, int)}, "12 whole numbers as rank"),
        ({"node": np.zeros(12)}, "12 whole numbers as node"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused(change: dict, text: str) -> None:
    instance = small(3)
    good = random_schedule(instance, 0)
    parts = {"node": good.node, "rank": good.rank, "store": good.store}
    change = {key: value[: instance.datasets] for key, value in change.items()}
    with pytest.raises(InstanceError, match=text):
        evaluate(instance, Schedule(**{**parts, **change}))
