"""A workflow is checked when it is made, and a bad one is refused by the name of the culprit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from panda_gym.distributions import Constant
from panda_gym.errors import WorkflowError
from panda_gym.pipelines.pipeline import Task
from panda_gym.workflows import Edge, Overheads, Pool, TaskSet, Workflow, degrees, simulate
from panda_gym.workflows.barriers import barriers
from panda_gym.workflows.formats.setfile import from_sets
from panda_gym.workflows.random_graphs import SHAPES, random_workflow
from panda_gym.workflows.taskset import DISTRIBUTION_NAMES


def one(name: str, **fields: object) -> TaskSet:
    return TaskSet(name, **{"mean_s": 1.0, "cores": 1, **fields})  # type: ignore[arg-type]


def chain(count: int) -> Workflow:
    ones, zeros = np.ones(count), np.zeros(count)
    edges = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
    return Workflow(
        name="chain",
        ids=tuple(map(str, range(count))),
        kind_names=("link",),
        kind=zeros,
        tasks=ones,
        cores=ones,
        threads=zeros,
        gpus=zeros,
        memory_gb=zeros,
        mean_s=ones,
        sd_s=zeros,
        distribution=zeros,
        input_bytes=zeros,
        output_bytes=zeros,
        edges=edges,
        each=zeros[1:],
        edge_bytes=zeros[1:],
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"cores": 0}, "at least one core"),
        ({"cores": -1}, "cores"),
        ({"cores": 1.5}, "cores"),
        ({"cores": True}, "cores"),
        ({"tasks": 0}, "tasks"),
        ({"gpus": -2}, "gpus"),
        ({"mean_s": -1.0}, "mean_s"),
        ({"mean_s": float("nan")}, "mean_s"),
        ({"mean_s": float("inf")}, "mean_s"),
        ({"mean_s": "7"}, "mean_s"),
        ({"output_bytes": -1.0}, "output_bytes"),
        ({"distribution": "norml"}, "did you mean normal"),
    ],
)
def test_a_bad_field_is_refused_with_the_sets_id(fields, named):
    with pytest.raises(WorkflowError, match=named) as refused:
        one("culprit", **fields)
    assert "culprit" in str(refused.value)


@pytest.mark.parametrize("edges", [[("a", "b"), ("b", "c"), ("c", "a")], [("a", "a")]])
def test_a_cycle_is_refused_by_its_sets(edges):
    with pytest.raises(WorkflowError, match=r"'?a'? -> ") as refused:
        Workflow.of("w", [one("a"), one("b"), one("c"), one("free")], edges)
    assert "free" not in str(refused.value)


def test_duplicate_unknown_and_missing_ids_are_refused():
    with pytest.raises(WorkflowError, match="'a' at positions 0 and 1"):
        Workflow.of("w", [one("a"), one("a")])
    with pytest.raises(WorkflowError, match=r"'b'.*did you mean bb"):
        Workflow.of("w", [one("a"), one("bb")], [("b", "a")])
    with pytest.raises(WorkflowError, match="'a' -> 'b' twice"):
        Workflow.of("w", [one("a"), one("b")], [("a", "b"), ("a", "b")])
    with pytest.raises(WorkflowError, match="at least one task set"):
        Workflow.of("w", [])
    with pytest.raises(WorkflowError, match="relation"):
        Workflow.of("w", [one("a"), one("b")], [Edge("a", "b", "some")])


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_arrays_are_checked_like_sets(bad):
    flow = chain(5)
    durations = flow.mean_s.copy()
    durations[3] = bad
    with pytest.raises(WorkflowError, match="mean_s of task set '3'"):
        replace(flow, mean_s=durations)


def test_stages_that_contradict_the_edges_are_refused():
    flow = Workflow.of("w", [one("a"), one("b")], [("a", "b")], stage={"a": 1, "b": 0})
    with pytest.raises(WorkflowError, match="'b' not in a later stage than its parent 'a'"):
        barriers(flow, "sequential")
    with pytest.raises(WorkflowError, match="did you mean sets"):
        barriers(flow, "set")
    with pytest.raises(WorkflowError, match="none for 'b'"):
        Workflow.of("w", [one("a"), one("b")], stage={"a": 0})


@pytest.mark.parametrize("bad", [{"nodes": 0}, {"threads": 0}, {"gpus": -1}, {"nodes": 1.5}])
def test_a_bad_pool_is_refused(bad):
    with pytest.raises(WorkflowError, match=next(iter(bad))):
        Pool(**{"name": "p", "nodes": 1, "threads": 1, **bad})


def test_bad_overheads_seeds_rules_and_resources_are_refused():
    flow, pool = Workflow.of("w", [one("a")]), Pool.cores(1)
    with pytest.raises(WorkflowError, match="gap_s"):
        Overheads(gap_s=float("nan"))
    with pytest.raises(ValueError, match="seed"):
        simulate(flow, pool, seed=-1)
    with pytest.raises(ValueError, match="seed"):
        simulate(flow, pool, seed=1.5)  # type: ignore[arg-type]
    with pytest.raises(WorkflowError, match="did you mean fifo"):
        simulate(flow, pool, priority="fifoo")
    with pytest.raises(WorkflowError, match="Pool"):
        simulate(flow, "pool")  # type: ignore[arg-type]


def test_a_long_chain_meets_no_recursion_limit():
    flow = chain(100_000)
    assert degrees(flow, Pool.cores(4)).doa_dep == 0
    assert simulate(flow, Pool.cores(4)).ttx_s == 100_000.0


@pytest.mark.long
def test_a_chain_of_a_million_meets_no_recursion_limit():
    flow = chain(1_000_000)
    assert degrees(flow, Pool.cores(4)).doa_dep == 0
    assert simulate(flow, Pool.cores(4)).ttx_s == 1_000_000.0


def test_a_long_cycle_is_refused_in_a_short_message():
    flow = chain(50_000)
    ring = np.concatenate([flow.edges, [[49_999, 0]]])
    with pytest.raises(WorkflowError, match="cycle") as refused:
        replace(flow, edges=ring, each=np.zeros(50_000), edge_bytes=np.zeros(50_000))
    assert len(str(refused.value)) < 400


def test_durations_have_the_mean_and_spread_of_their_distribution():
    for distribution in ("normal", "lognormal", "exponential"):
        flow = Workflow.of(
            "w", [one("a", tasks=20_000, mean_s=100.0, sd_s=10.0, distribution=distribution)]
        )
        drawn = flow.draw(np.random.default_rng(0))
        spread = 100.0 if distribution == "exponential" else 10.0
        assert abs(drawn.mean() - 100.0) < 5 * spread / np.sqrt(20_000)
        assert abs(drawn.std() / spread - 1.0) < 0.05
        assert (drawn >= 0.0).all()


def test_networkx_there_and_back():
    flow = random_workflow("ddmd", 2, iterations=2)
    back = Workflow.from_networkx(flow.to_networkx(), flow.name)
    assert back.ids == flow.ids
    assert set(map(tuple, back.edges)) == set(map(tuple, flow.edges))
    np.testing.assert_array_equal(back.tasks, flow.tasks)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_random_workflows_repeat_by_seed_and_differ_by_seed(shape):
    one_, two, other = (random_workflow(shape, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one_.mean_s, two.mean_s)
    np.testing.assert_array_equal(one_.edges, two.edges)
    assert not np.array_equal(one_.mean_s, other.mean_s)


def test_an_unknown_shape_or_setting_is_refused():
    with pytest.raises(WorkflowError, match="did you mean layered"):
        random_workflow("layerd")
    with pytest.raises(WorkflowError, match="did you mean tasks"):
        random_workflow("layered", 0, task=3)
    with pytest.raises(WorkflowError, match="tasks"):
        random_workflow("layered", 0, tasks=0)


def test_the_field_law_of_release_0_1_still_works():
    with pytest.warns(FutureWarning, match="'distribution'"):
        assert TaskSet("a", cores=1, law="normal").distribution == "normal"
    with pytest.warns(FutureWarning, match="'duration'"):
        assert Task("train", law=Constant(5.0)).duration == Constant(5.0)
    document = {"format": "panda-grid-workflow", "version": 1, "name": "w"}
    document["sets"] = [{"id": "a", "cores": 1, "law": "exponential"}]
    with pytest.warns(FutureWarning, match="'distribution'"):
        flow = from_sets(document, "old.json")
    assert DISTRIBUTION_NAMES[flow.distribution[0]] == "exponential"
