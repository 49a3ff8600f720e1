"""Every method keeps quotas and the bound, and repeats itself; models and moves are exact."""

from __future__ import annotations

import importlib
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from panda_gym.errors import InstanceError
from panda_gym.joint import METHODS, Schedule, evaluate, lower_bound, ordered, solve
from panda_gym.joint.methods.list_scheduling import packed_stores
from panda_gym.joint.methods.node_model import choose_nodes, node_times
from panda_gym.joint.methods.random_placement import random_stores
from panda_gym.joint.methods.store_model import choose_stores
from tests.panda_gym.joint.instances import optimum, small, tiny

STEPS = {"random": 20, "list": 1, "alternation": 2, "local_search": 30_000}
LONG_S = 60.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_method_keeps_quotas_and_the_bound(method: str, seed: int) -> None:
    instance = small(seed)
    bound_s = lower_bound(instance)
    found = solve(instance, method, steps=STEPS[method], cpu_s=LONG_S, lower_bound_s=bound_s)
    judged = evaluate(instance, found.schedule)
    assert (judged.stored <= instance.quota * (1 + 1e-9)).all()
    assert judged.makespan_s == found.makespan_s
    assert found.gap >= 0.0
    assert found.steps <= STEPS[method]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_schedule(method: str) -> None:
    one, two = (
        solve(small(0), method, steps=STEPS[method], cpu_s=LONG_S, seed=5) for _ in range(2)
    )
    for name, value in vars(one.schedule).items():
        np.testing.assert_array_equal(value, getattr(two.schedule, name))


def test_another_seed_gives_another_schedule() -> None:
    one, two = (
        solve(small(1), "random", steps=1, cpu_s=LONG_S, seed=seed).schedule for seed in (0, 1)
    )
    assert not np.array_equal(one.node, two.node)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("work_per_size", [1e-3, 0.3])
def test_local_search_finds_the_optimum_of_tiny_instances(seed: int, work_per_size: float) -> None:
    instance = tiny(seed, work_per_size)
    best = optimum(instance)
    assert solve(instance, steps=300_000, cpu_s=LONG_S).makespan_s == pytest.approx(best, rel=1e-3)
    for method in METHODS:
        found = solve(instance, method, steps=4, cpu_s=LONG_S).makespan_s
        assert found >= best * (1 - 1e-12)


def test_local_search_ends_at_the_bound() -> None:
    instance = tiny(0)
    found = solve(instance, cpu_s=LONG_S, lower_bound_s=optimum(instance))
    assert found.cpu_s < LONG_S / 2


@pytest.mark.parametrize("seed", range(4))
def test_moves_keep_the_state_exact(seed: int) -> None:
    module = importlib.import_module("panda_gym.joint.methods.local_search")
    instance = small(seed)
    state, problem = module.list_state(instance), module.problem_of(instance)
    tables = module.tables_of(problem, state)
    module.mark_late(*tables, 0.0)
    assert state.lates[0] == np.count_nonzero(state.end > 0.0)
    heat = (0.05, 0.05, 0, 5_000)
    assert module.anneal(*tables, np.uint64(seed), 0, 5_000, 1e-9, heat) == 5_000
    schedule = ordered(instance, state.node, state.store)
    judged = evaluate(instance, schedule)
    ends = np.zeros(instance.nodes)
    np.maximum.at(ends, schedule.node, judged.end_s)
    np.testing.assert_allclose(state.end, ends, rtol=1e-12)
    if instance.has_quotas:
        np.testing.assert_allclose(instance.quota - state.room, judged.stored, rtol=1e-9)
    assert sorted(state.late[: state.lates[0]]) == np.flatnonzero(ends > 1e-9).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_store_model_is_exact(seed: int) -> None:
    instance = tiny(seed)
    rng = np.random.default_rng(seed)
    start = ordered(instance, rng.integers(0, 2, 3), rng.integers(0, 2, 4))
    store = choose_stores(instance, start, LONG_S)
    assert store is not None
    found = evaluate(instance, Schedule(start.node, start.rank, store)).makespan_s
    best = min(
        evaluate(instance, Schedule(start.node, start.rank, np.array(one))).makespan_s
        for one in product(range(2), repeat=4)
    )
    assert found == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_node_model_is_exact_up_to_the_first_wait(seed: int) -> None:
    instance, store = tiny(seed, 0.3), np.zeros(4, np.int64)
    node = choose_nodes(instance, store, LONG_S)
    assert node is not None
    alone, hold = node_times(instance, store)
    best = min(
        evaluate(instance, ordered(instance, np.array(one), store)).makespan_s
        for one in product(range(2), repeat=3)
    )
    found = evaluate(instance, ordered(instance, node, store)).makespan_s
    assert best * (1 - 1e-4) <= found <= best + (alone - hold).max()


def test_quotas_that_no_packing_keeps_are_one_error() -> None:
    instance = small(0)
    tight = replace(instance, quota=np.full(5, instance.size.sum() / 5 * (1 + 1e-9)))
    for method in METHODS:
        with pytest.raises(InstanceError, match="packed"):
            solve(tight, method, steps=2, cpu_s=LONG_S)


def test_packing_serves_where_greedy_choices_fail() -> None:
    instance = small(1, quota=1.12)
    rng = np.random.default_rng(0)
    for store in (packed_stores(instance), random_stores(instance, rng)):
        stored = np.bincount(store, instance.size, minlength=5)
        assert (stored <= instance.quota).all()
    assert np.isfinite(solve(instance, "list", cpu_s=LONG_S).makespan_s)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"method": "local"}, "did you mean local_search"),
        ({"cpu_s": 0.0}, "budget above 0"),
        ({"cpu_s": float("nan")}, "budget above 0"),
        ({"steps": 0}, "at least 1 step"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        solve(small(0), **settings)


def test_no_time_still_gives_a_schedule_and_its_gap() -> None:
    instance = small(0)
    for method in METHODS:
        found = solve(instance, method, cpu_s=1e-6, lower_bound_s=lower_bound(instance))
        assert np.isfinite(found.gap)


def test_progress_is_reported() -> None:
    seen: list[tuple[int, int, str]] = []
    solve(small(0), "random", steps=3, cpu_s=LONG_S, progress=lambda *one: seen.append(one))
    assert len(seen) >= 3
    assert all(0 <= done <= total for done, total, _ in seen)
