"""Static schedules: valid on random problems, never below the bound, insertion as a slow twin's."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from panda_gym.errors import WorkflowError
from panda_gym.sites import Platform
from panda_gym.workflows import Edge, Overheads, Pool, TaskSet, Workflow, random_workflow, simulate
from panda_gym.workflows.static_scheduling import (
    RULES,
    SchedulingProblem,
    heft,
    lower_bound_s,
    problem_of,
    schedule,
)
from panda_gym.workflows.static_scheduling.heft import by_rank, upward_rank
from panda_gym.workflows.static_scheduling.timeline import Timeline

EPSILON = 1e-9


def random_problem(seed: int, tasks: int = 12, processors: int = 3) -> SchedulingProblem:
    """Single tasks with whole-number costs, each child of up to three earlier tasks."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(1, 20, (tasks, processors)).astype(float)
    edges = [
        (int(parent), child, float(rng.integers(0, 25)))
        for child in range(1, tasks)
        for parent in rng.choice(child, size=min(child, int(rng.integers(1, 4))), replace=False)
    ]
    return SchedulingProblem.from_matrices(cost.tolist(), edges)


def platform(cores: tuple[int, ...], rate_mbps: float) -> Platform:
    """Sites of different speed; every pair has the same link."""
    n = len(cores)
    rate, latency = np.full((n, n), rate_mbps), np.full((n, n), 2.0)
    np.fill_diagonal(rate, np.inf)
    np.fill_diagonal(latency, 0.0)
    power = np.linspace(8.0, 16.0, n)
    names = tuple(f"S{i}" for i in range(n))
    return Platform(
        "sites", names, ("XX",) * n, np.array(cores), power, np.ones(n), rate, latency,
        np.ones((n, n)),
    )  # fmt: skip


def edges_between_tasks(problem: SchedulingProblem) -> list[tuple[int, int, float]]:
    """(parent task, child task, data), expanded by hand; data of `all` edges is shared."""
    first = np.concatenate([[0], np.cumsum(problem.tasks)])
    found = []
    for (p, c), each, size in zip(problem.edges, problem.each, problem.bytes, strict=True):
        n, m = int(problem.tasks[p]), int(problem.tasks[c])
        for j in range(m):
            own = [i for i in range(n) if i * m < (j + 1) * n and (i + 1) * m > j * n]
            parents = own if each else range(n)
            share = size / len(own) if each else size
            found += [(int(first[p]) + i, int(first[c]) + j, share) for i in parents]
    return found


def check(problem: SchedulingProblem, found) -> None:
    """Every task runs once, within capacity, after its input is there."""
    owner = np.repeat(np.arange(len(problem)), problem.tasks)
    np.testing.assert_allclose(found.finish, found.start + problem.cost[owner, found.processor])
    for p in range(problem.processors):
        mine = np.flatnonzero(found.processor == p)
        for i in mine:
            now = mine[
                (found.start[mine] <= found.start[i]) & (found.finish[mine] > found.start[i])
            ]
            assert (problem.need[owner[now]].sum(axis=0) <= problem.capacity[p]).all()
    # Of an `all` edge the share of a source processor travels together.
    counts = {}
    tasks = edges_between_tasks(problem)
    for parent, child, _ in tasks:
        key = (owner[parent], child, found.processor[parent])
        counts[key] = counts.get(key, 0) + 1
    all_edges = {
        tuple(edge) for edge, each in zip(problem.edges, problem.each, strict=True) if not each
    }
    for parent, child, size in tasks:
        a, b = found.processor[parent], found.processor[child]
        if (owner[parent], owner[child]) in all_edges:
            size = size * counts[owner[parent], child, a] / problem.tasks[owner[parent]]
        travel = (
            0.0
            if a == b or size == 0
            else problem.latency[a, b] + size * problem.seconds_per_byte[a, b]
        )
        assert found.start[child] >= found.finish[parent] + problem.gap_s + travel - EPSILON
    for i, s in enumerate(owner):
        assert found.start[i] >= problem.arrival[s, found.processor[i]] - EPSILON


@pytest.mark.parametrize("rule", sorted(RULES))
def test_schedules_of_random_problems_are_valid(rule):
    for seed in range(100):
        problem = random_problem(seed)
        found = RULES[rule](problem)
        check(problem, found)
        assert found.makespan_s >= lower_bound_s(problem) - EPSILON


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("shape", ["ddmd", "forkjoin", "layered", "montage"])
def test_schedules_of_workflows_on_a_pool_and_a_platform_are_valid(rule, shape):
    small = {"ddmd": {"simulations": 8}, "forkjoin": {"width": 9}, "layered": {"tasks": 30}}
    flow = random_workflow(shape, 2, **small.get(shape, {"images": 5}))
    pool = Pool("pool", nodes=3, threads=32, gpus=2)
    sites = None if shape == "ddmd" else platform((8, 16, 32), 1.0)
    for resource in (pool, sites):
        if resource is None:
            continue
        options = {"home": "S1"} if resource is sites else {}
        overheads = Overheads(gap_s=3.0, launch_s=1.0)
        problem = problem_of(flow, resource, overheads=overheads, **options)
        found = RULES[rule](problem)
        check(problem, found)
        assert found.makespan_s >= lower_bound_s(problem) - EPSILON
        ran = schedule(flow, resource, rule, overheads=overheads, **options)
        np.testing.assert_array_equal(ran.start, found.start)
        assert ran.mode == rule


def slow_heft(problem: SchedulingProblem) -> float:
    """HEFT on processors that run one task at a time, gap by gap."""
    finish, where = {}, {}
    busy = [[] for _ in range(problem.processors)]
    data = {(int(p), int(c)): d for (p, c), d in zip(problem.edges, problem.bytes, strict=True)}
    for task in by_rank(problem, upward_rank(problem)):
        options = []
        for p in range(problem.processors):
            cost = problem.cost[task, p]
            ready = max(
                (
                    finish[a] + (0.0 if where[a] == p else d)
                    for (a, c), d in data.items()
                    if c == task
                ),
                default=0.0,
            )
            starts = [ready, *(end for _, end in busy[p] if end >= ready)]
            start = min(t for t in starts if all(t + cost <= s or t >= e for s, e in busy[p]))
            options.append((start + cost, p, start))
        end, p, start = min(options)
        finish[task], where[task] = end, p
        busy[p].append((start, end))
    return max(finish.values())


def test_heft_inserts_as_a_slow_twin_does():
    for seed in range(200):
        problem = random_problem(seed, tasks=15)
        assert heft(problem).makespan_s == slow_heft(problem)


def best_makespan(problem: SchedulingProblem) -> float:
    """Least makespan over all orders and assignments of a small problem."""
    n, best = len(problem), np.inf
    parents = [problem.edges[problem.edges[:, 1] == c, 0].tolist() for c in range(n)]
    data = {(int(p), int(c)): d for (p, c), d in zip(problem.edges, problem.bytes, strict=True)}
    for order in permutations(range(n)):
        place = {task: i for i, task in enumerate(order)}
        if any(place[p] > place[c] for c in range(n) for p in parents[c]):
            continue
        for where in product(range(problem.processors), repeat=n):
            free, finish = [0.0] * problem.processors, {}
            for task in order:
                p = where[task]
                ready = [
                    finish[a] + (data[int(a), task] if where[a] != p else 0.0)
                    for a in parents[task]
                ]
                finish[task] = max([free[p], *ready]) + problem.cost[task, p]
                free[p] = finish[task]
            best = min(best, max(finish.values()))
    return best


def test_no_rule_beats_the_best_of_all_schedules_and_the_bound_is_below_it():
    for seed in range(20):
        problem = random_problem(seed, tasks=5, processors=2)
        best = best_makespan(problem)
        assert lower_bound_s(problem) <= best
        for rule in RULES.values():
            assert rule(problem).makespan_s >= best


def test_heft_is_shorter_than_the_online_rule_on_thirty_graphs():
    sites, ratios = platform((4, 4, 4), 1.0), []
    for seed in range(30):
        flow = random_workflow("layered", seed, tasks=40)
        online = simulate(flow, sites, "sets", priority="upward_rank").ttx_s
        ratios.append(online / schedule(flow, sites, "heft").ttx_s)
    assert np.mean(ratios) > 1.05


def test_a_task_is_inserted_into_the_first_gap_that_is_long_enough():
    line = Timeline((2,))
    line.insert(0.0, 4.0, (2,))
    line.insert(6.0, 4.0, (1,))
    line.insert(10.0, 5.0, (2,))
    assert line.earliest(0.0, 2.0, (2,)) == 4.0
    assert line.earliest(0.0, 3.0, (2,)) == 15.0
    assert line.earliest(0.0, 6.0, (1,)) == 4.0
    assert line.earliest(7.0, 3.0, (1,)) == 7.0
    with pytest.raises(ValueError, match="capacity"):
        line.earliest(0.0, 1.0, (3,))


def test_bad_problems_are_refused():
    with pytest.raises(WorkflowError, match="cycle"):
        SchedulingProblem.from_matrices([(1, 1), (1, 1)], [(0, 1, 1.0), (1, 0, 1.0)])
    with pytest.raises(WorkflowError, match="matrix"):
        SchedulingProblem.from_matrices([(-1.0, 1.0)], [])
    flow = Workflow.of("w", [TaskSet("a", cores=9), TaskSet("b", cores=1)], [Edge("a", "b")])
    with pytest.raises(WorkflowError, match="did you mean heft"):
        schedule(flow, Pool.cores(16), "hefty")
    with pytest.raises(WorkflowError, match="'a'"):
        schedule(flow, Pool.cores(8), "heft")


def test_the_critical_path_stays_on_one_processor_unless_a_set_does_not_fit_on_it():
    sets = [TaskSet(name, n, 10.0, cores=1) for name, n in (("a", 1), ("b", 6), ("c", 1))]
    flow = Workflow.of("w", sets, [Edge("a", "b"), Edge("b", "c")])
    narrow = schedule(flow, Pool("p", nodes=3, threads=2), "cpop")
    assert narrow.ttx_s == 30.0
    assert len(set(narrow.node.tolist())) == 3
    wide = schedule(flow, Pool("p", nodes=3, threads=6), "cpop")
    assert (wide.ttx_s, set(wide.node.tolist())) == (30.0, {0})
