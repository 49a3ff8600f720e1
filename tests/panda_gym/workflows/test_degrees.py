"""Width and degrees of asynchronicity are what their definitions say."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from panda_gym.workflows import Pool, TaskSet, Workflow, analyse, degrees, random_workflow
from panda_gym.workflows.degrees import residual_degrees, subgraph
from panda_gym.workflows.packing import NO, STEPS, YES, make_packing
from panda_gym.workflows.packing import packs as packs_inline
from panda_gym.workflows.pool import needs
from panda_gym.workflows.width import width


@njit
def packs_once(scratch, n, need, count, steps):
    """Call the inline function of the kernel from Python."""
    return packs_inline(scratch, n, need, count, steps)


def random_graph(seed: int, most: int = 9) -> Workflow:
    """A few sets of few kinds with drawn needs and edges."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, most + 1))
    density = rng.random()
    sets = [
        TaskSet(
            f"s{i}",
            int(rng.integers(1, 4)),
            1.0,
            f"k{rng.integers(4)}",
            threads=int(rng.integers(1, 5)),
            gpus=int(rng.integers(0, 3)),
        )
        for i in range(n)
    ]
    edges = [(f"s{i}", f"s{j}") for i, j in combinations(range(n), 2) if rng.random() < density]
    return Workflow.of("random", sets, edges)


def antichains(flow: Workflow) -> list[tuple[int, ...]]:
    """Every antichain, by trying all subsets."""
    closure = nx.transitive_closure_dag(nx.DiGraph([tuple(e) for e in flow.edges.tolist()]))
    ordered = set(closure.edges())
    return [
        chosen
        for size in range(1, len(flow) + 1)
        for chosen in combinations(range(len(flow)), size)
        if not any((a, b) in ordered or (b, a) in ordered for a, b in combinations(chosen, 2))
    ]


def packs(needs: list[tuple[int, ...]], free: list[tuple[int, ...]]) -> bool:
    """Whether tasks fit on nodes, by trying every node for every task."""
    if not needs:
        return True
    for i, node in enumerate(free):
        rest = tuple(a - b for a, b in zip(node, needs[0], strict=True))
        if min(rest) >= 0 and packs(needs[1:], [*free[:i], rest, *free[i + 1 :]]):
            return True
    return False


def kinds_by_exhaustion(flow: Workflow, pool: Pool) -> int:
    """Most kinds of an antichain whose tasks fit on the nodes at once."""
    most, need = 0, needs(flow)
    free = [tuple(pool.node_capacity.tolist())] * pool.nodes
    for chosen in antichains(flow):
        kinds = len({int(flow.kind[s]) for s in chosen})
        tasks = [tuple(need[s].tolist()) for s in chosen for _ in range(flow.tasks[s])]
        if kinds > most and packs(sorted(tasks, reverse=True), free):
            most = kinds
    return most


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 100_000), nodes=st.integers(1, 4))
def test_width_and_doa_res_equal_exhaustion(seed, nodes):
    flow, pool = random_graph(seed, most=7), Pool("p", nodes=nodes, threads=5, gpus=2)
    found = degrees(flow, pool)
    assert found.exact_dep
    assert found.exact_res
    assert found.doa_dep == max(map(len, antichains(flow))) - 1
    assert found.doa_res == max(kinds_by_exhaustion(flow, pool), 1) - 1
    assert found.wla == min(found.doa_dep, found.doa_res)


def test_sets_that_fit_in_total_but_not_on_the_nodes_do_not_run_at_once():
    sets = [TaskSet(f"s{i}", threads=threads) for i, threads in enumerate((3, 3, 2))]
    flow = Workflow.of("w", sets)
    for nodes, expected in ((2, 1), (3, 2)):
        found = degrees(flow, Pool("p", nodes=nodes, threads=4))
        assert (found.doa_res, found.exact_res) == (expected, True)
    assert degrees(flow, Pool("p", nodes=1, threads=8)).doa_res == 2


@settings(max_examples=300, deadline=None)
@given(
    needs=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2)), min_size=1, max_size=4),
    counts=st.lists(st.integers(1, 3), min_size=4, max_size=4),
    nodes=st.lists(st.tuples(st.integers(1, 8), st.integers(0, 4)), min_size=1, max_size=4),
)
def test_packing_equals_trying_every_node(needs, counts, nodes):
    need = np.array([(*n, 0) for n in needs], dtype=np.int64)
    scratch = make_packing(len(needs), len(nodes))
    scratch.sets[:] = np.arange(len(needs))
    scratch.free[0] = [(*n, 0) for n in nodes]
    tasks = [n for n, count in zip(needs, counts, strict=False) for _ in range(count)]
    answer = packs_once(scratch, len(needs), need, np.array(counts), STEPS)
    assert answer == (YES if packs(tasks, nodes) else NO)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_width_equals_dilworth_on_the_closure(seed):
    flow = random_graph(seed, most=60)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(flow)))
    graph.add_edges_from(map(tuple, flow.edges.tolist()))
    closure = nx.transitive_closure_dag(graph)
    pairs = nx.Graph()
    pairs.add_nodes_from(("out", v) for v in graph)
    pairs.add_edges_from((("out", u), ("in", v)) for u, v in closure.edges())
    top = [("out", v) for v in graph]
    matching = nx.bipartite.hopcroft_karp_matching(pairs, top)
    found = width(flow)
    assert found.value == len(flow) - len(matching) // 2
    assert found.exact
    assert len(found.antichain) == found.value
    ordered = set(closure.edges())
    chosen = found.antichain.tolist()
    assert not any((a, b) in ordered or (b, a) in ordered for a, b in combinations(chosen, 2))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_beyond_the_switch_the_bounds_enclose_the_width(seed):
    flow = random_graph(seed, most=40)
    exact, bounds = width(flow), width(flow, exact_arcs=0)
    assert bounds.value <= exact.value <= bounds.upper
    assert len(bounds.antichain) == bounds.value


def test_independent_sets_and_a_chain():
    sets = [TaskSet(f"s{i}", cores=1) for i in range(7)]
    assert degrees(Workflow.of("apart", sets), Pool.cores(100)).doa_dep == 6
    names = [s.id for s in sets]
    row = Workflow.of("row", sets, list(pairwise(names)))
    found = degrees(row, Pool.cores(100))
    assert (found.doa_dep, found.doa_res, found.wla) == (0, 0, 0)


def test_residual_degrees_are_those_of_what_is_left():
    flow, pool = random_workflow("ddmd", 0), Pool("p", nodes=16, threads=168, gpus=6)
    free = np.tile(pool.node_capacity, (pool.nodes, 1))
    everything = residual_degrees(flow, pool, flow.tasks, flow.tasks, free)
    assert everything == degrees(flow, pool)
    nothing = residual_degrees(flow, pool, flow.tasks * 0, flow.tasks * 0, free)
    assert (nothing.doa_dep, nothing.doa_res) == (0, 0)
    left = flow.tasks.copy()
    gone = flow.order[:5]
    left[gone] = 0
    rest = subgraph(flow, np.flatnonzero(left))
    assert residual_degrees(flow, pool, left, left, free) == degrees(rest, pool)


@pytest.mark.parametrize("layers", [20, 2000])
def test_a_hundred_thousand_tasks_are_analysed_exactly(layers):
    flow = random_workflow("layered", 0, tasks=100_000, layers=layers, kinds=8)
    found = analyse(flow, Pool("p", nodes=100, threads=168))
    assert found.tasks == 100_000
    assert found.doa_dep_exact
    assert found.doa_res_exact
    assert found.doa_dep + 1 >= np.bincount(flow.level).max()


def test_sequential_time_respects_the_capacity():
    sets = [TaskSet(f"t{i}", 1, 1.0, cores=1) for i in range(10)]
    for cores, expected in ((1, 10.0), (3, 4.0), (10, 1.0)):
        found = analyse(Workflow.of("w", sets), Pool.cores(cores))
        assert found.t_seq_s == expected
        assert found.t_async_bound_s == max(10.0 / cores, 1.0)
        assert found.improvement_bound == 1.0 - found.t_async_bound_s / expected


def stage_time(tasks: list[tuple[float, tuple[int, ...]]], free: list[list[int]]) -> float:
    """Time of one stage by first fit in order, task by task, from instant to instant."""
    now, running, last = 0.0, [], 0.0
    while tasks or running:
        for task in list(tasks):
            duration, need = task
            node = next(
                (n for n in free if all(a >= b for a, b in zip(n, need, strict=True))), None
            )
            if node is not None:
                node[:] = [a - b for a, b in zip(node, need, strict=True)]
                running.append((now + duration, need, node))
                tasks.remove(task)
        now = min(end for end, _, _ in running)
        for end, need, node in [one for one in running if one[0] == now]:
            node[:] = [a + b for a, b in zip(node, need, strict=True)]
            running.remove((end, need, node))
        last = now
    return last


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 100_000), nodes=st.integers(1, 4))
def test_sequential_time_is_the_sum_of_the_stages_and_above_the_bound(seed, nodes):
    flow, pool = random_graph(seed, most=7), Pool("p", nodes=nodes, threads=5, gpus=2)
    rng = np.random.default_rng(seed)
    flow = replace(flow, mean_s=rng.integers(1, 9, len(flow)).astype(float))
    need, total = needs(flow).tolist(), 0.0
    for level in range(int(flow.level.max()) + 1):
        tasks = [
            (float(flow.mean_s[s]), tuple(need[s]))
            for s in np.flatnonzero(flow.level == level)
            for _ in range(flow.tasks[s])
        ]
        total += stage_time(tasks, [pool.node_capacity.tolist() for _ in range(nodes)])
    found = analyse(flow, pool)
    assert found.t_seq_s == total
    assert found.t_seq_s >= found.t_async_bound_s
    assert 0.0 <= found.improvement_bound <= 1.0
