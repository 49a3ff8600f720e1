"""Width and degrees of asynchronicity are what their definitions say."""

from __future__ import annotations

from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.workflows import Pool, TaskSet, Workflow, analyse, degrees, random_workflow
from panda_gym.workflows.degrees import residual_degrees, subgraph
from panda_gym.workflows.pool import needs
from panda_gym.workflows.width import width


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


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_width_and_doa_res_equal_exhaustion(seed):
    flow, pool = random_graph(seed), Pool("p", nodes=2, threads=8, gpus=3)
    every = antichains(flow)
    found = degrees(flow, pool)
    assert found.exact_dep
    assert found.exact_res
    assert found.doa_dep == max(map(len, every)) - 1
    demand = needs(flow) * flow.tasks[:, None]
    tasks_that_fit = [c for c in every if (demand[list(c)].sum(axis=0) <= pool.capacity).all()]
    most = max((len({int(flow.kind[s]) for s in c}) for c in tasks_that_fit), default=1)
    assert found.doa_res == most - 1
    assert found.wla == min(found.doa_dep, found.doa_res)


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
    everything = residual_degrees(flow, pool, flow.tasks, flow.tasks, pool.capacity)
    assert everything == degrees(flow, pool)
    nothing = residual_degrees(flow, pool, flow.tasks * 0, flow.tasks * 0, pool.capacity)
    assert (nothing.doa_dep, nothing.doa_res) == (0, 0)
    left = flow.tasks.copy()
    gone = flow.order[:5]
    left[gone] = 0
    rest = subgraph(flow, np.flatnonzero(left))
    assert residual_degrees(flow, pool, left, left, pool.capacity) == degrees(rest, pool)


@pytest.mark.parametrize("layers", [20, 2000])
def test_a_hundred_thousand_tasks_are_analysed_exactly(layers):
    flow = random_workflow("layered", 0, tasks=100_000, layers=layers, kinds=8)
    found = analyse(flow, Pool("p", nodes=100, threads=168))
    assert found.tasks == 100_000
    assert found.doa_dep_exact
    assert found.doa_res_exact
    assert found.doa_dep + 1 >= np.bincount(flow.level).max()
