"""The kernel runs as its slow twin does, and keeps capacity and order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.sites import load_platform
from panda_gym.workflows import Edge, Overheads, Pool, TaskSet, Workflow, random_workflow, simulate
from panda_gym.workflows.analytics import graham_bounds, span_s, work_s
from panda_gym.workflows.barriers import MODES, barriers
from panda_gym.workflows.execution import mean_transfer_s, steps
from panda_gym.workflows.priorities import priority
from tests.oracles.workflow_twin import WorkflowTwin

EXAMPLES = 12

PLATFORM = load_platform("tiny4", 0.15)
"""Four sites of 18 slots together, so that tasks queue."""


def some_workflow(seed: int, sets: int = 7) -> Workflow:
    """A few sets with drawn needs, durations on a coarse grid (so that events coincide)."""
    rng = np.random.default_rng(seed)
    made = [
        TaskSet(
            f"s{i}",
            int(rng.integers(1, 5)),
            float(rng.integers(0, 4)) * 2.5,
            f"k{rng.integers(3)}",
            threads=int(rng.integers(1, 4)),
            gpus=int(rng.integers(0, 2)),
            memory_gb=float(rng.integers(0, 3)),
            output_bytes=float(rng.integers(0, 3)) * 1e9,
            input_bytes=float(rng.integers(0, 2)) * 1e9,
        )
        for i in range(sets)
    ]
    edges = [
        Edge(f"s{i}", f"s{j}", "each" if rng.random() < 0.4 else "all")
        for j in range(sets)
        for i in range(j)
        if rng.random() < 0.3
    ]
    return Workflow.of(f"some{seed}", made, edges)


def without_gpus(flow: Workflow) -> Workflow:
    """The same for sites, which have no GPUs."""
    from dataclasses import replace

    return replace(flow, gpus=np.zeros(len(flow)))


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 10_000), rule=st.sampled_from(["fifo", "upward_rank", "longest_first"]))
def test_a_pool_runs_as_its_twin(mode, seed, rule):
    flow, pool = some_workflow(seed), Pool("p", nodes=2, threads=5, gpus=1, memory_gb=4)
    overheads = Overheads(gap_s=2.5 * (seed % 2), launch_s=0.5 * (seed % 3))
    run = simulate(flow, pool, mode, priority=rule, overheads=overheads)
    order = priority(rule, flow, mean_transfer_s(flow, pool), np.random.default_rng(0))
    twin = WorkflowTwin(flow, pool, mode, order, flow.mean_s[flow.task_set()], overheads).run()
    np.testing.assert_allclose(run.start, twin.start, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.stop, twin.stop, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(run.node, twin.node)


@pytest.mark.parametrize("mode", ["sets", "tasks"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_platform_runs_as_its_twin(mode, seed):
    flow = without_gpus(some_workflow(seed))
    home = PLATFORM.names[seed % len(PLATFORM)]
    run = simulate(flow, PLATFORM, mode, home=home)
    twin = WorkflowTwin(
        flow, PLATFORM, mode, np.zeros(len(flow)), flow.mean_s[flow.task_set()], home=home
    ).run()
    np.testing.assert_allclose(run.stop, twin.stop, rtol=1e-9)
    np.testing.assert_array_equal(run.node, twin.node)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_node_is_ever_overfull_and_every_edge_is_kept(mode, seed):
    flow, pool = some_workflow(seed, sets=12), Pool("p", nodes=3, threads=4, gpus=1, memory_gb=3)
    run = simulate(flow, pool, mode)
    owner = flow.task_set()
    for node in range(pool.nodes):
        here = run.node == node
        for r in range(3):
            _, held = steps(run.start[here], run.stop[here], run.need[owner[here], r])
            assert held.max(initial=0) <= run.capacity[node, r]
    first, last = run.set_start(), run.set_stop()
    bars = barriers(flow, mode)
    for p, c in flow.edges[~flow.each] if mode == "tasks" else flow.edges:
        assert last[p] <= first[c]
    for p, c in bars.task_edges:
        assert run.stop[p] <= run.start[c]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    tasks=st.integers(1, 80),
    layers=st.integers(1, 12),
    cores=st.integers(1, 20),
    rule=st.sampled_from(["fifo", "upward_rank", "longest_first", "shortest_first", "random"]),
)
def test_grahams_bounds_hold_for_every_greedy_schedule(seed, tasks, layers, cores, rule):
    from dataclasses import replace

    drawn = random_workflow("layered", seed, tasks=tasks, layers=layers)
    flow = replace(drawn, cores=np.ones(len(drawn)))
    low, high = graham_bounds(work_s(flow), span_s(flow), cores)
    ttx = simulate(flow, Pool.cores(cores), priority=rule, seed=seed).ttx_s
    assert low * (1 - 1e-12) <= ttx <= high * (1 + 1e-12)


def test_same_seed_same_execution_and_another_seed_another():
    flow, pool = random_workflow("forkjoin", 1), Pool.cores(8)
    one, two, other = (simulate(flow, pool, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.stop, two.stop)
    assert not np.array_equal(one.stop, other.stop)


def test_data_on_another_site_delay_a_task():
    sets = [TaskSet("a", 1, 10.0, cores=1, output_bytes=1e9), TaskSet("b", 60, 100.0, cores=1)]
    near = simulate(Workflow.of("w", sets, [Edge("a", "b", bytes=0.0)]), PLATFORM)
    far = simulate(Workflow.of("w", sets, [Edge("a", "b", bytes=1e9)]), PLATFORM)
    assert far.ttx_s > near.ttx_s
    moved = far.node[1:] != far.node[0]
    assert moved.any()
    took = PLATFORM.latency_s[far.node[0]] + 1e9 / (PLATFORM.bandwidth_mbps[far.node[0]] * 1e6)
    waited = far.start[1:] - far.placed[1:]
    assert (waited >= took[far.node[1:]] - 1e-9)[moved].all()


def test_each_edges_let_a_child_start_before_the_whole_parent_set_ends():
    sets = [TaskSet("a", 4, 10.0, cores=1), TaskSet("b", 4, 10.0, cores=1)]
    flow = Workflow.of("w", sets, [Edge("a", "b", "each")])
    barred, free = (simulate(flow, Pool.cores(3), mode) for mode in ("sets", "tasks"))
    assert barred.ttx_s == 40.0
    assert free.ttx_s == 30.0


def test_a_task_larger_than_every_node_is_named():
    flow = Workflow.of("w", [TaskSet("ok", cores=1), TaskSet("huge", cores=1, gpus=7)])
    with pytest.raises(ValueError, match=r"'huge'.*7 gpus"):
        simulate(flow, Pool("p", nodes=16, threads=168, gpus=6))
    with pytest.raises(ValueError, match="'huge'"):
        simulate(flow, PLATFORM)
