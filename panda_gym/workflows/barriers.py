"""Execution modes: which task sets are released together, and what each release waits for.

Every mode is a graph of groups. A group is released, one gap later, when all tasks of its parent
groups have ended.

    sequential  stages one after the other; sets of one stage in parallel
    pipelines   the stages of a pipeline one after the other; pipelines in parallel
    sets        every set when its parents have ended: asynchronous by task set
    tasks       as `sets`, but edges of relation "each" bind single tasks: asynchronous by task
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from panda_gym.errors import WorkflowError, nearest
from panda_gym.workflows import graph
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

MODES: Final = ("sequential", "pipelines", "sets", "tasks")
"""Names of the execution modes."""


@dataclass(frozen=True, eq=False)
class Barriers:
    """Groups of sets with barriers between them, and edges between single tasks."""

    mode: str
    """One of MODES."""
    group: Array
    """int32[n]: group of every set."""
    edges: Array
    """int32[k, 2]: (parent group, child group)."""
    task_edges: Array
    """int64[l, 2]: (parent task, child task); of mode `tasks` only."""

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1


def barriers(flow: Workflow, mode: str) -> Barriers:
    """Return the groups of a mode; WorkflowError if labels of stages contradict the edges."""
    if mode not in MODES:
        raise WorkflowError("an execution mode", repr(mode), nearest(str(mode), MODES))
    none = np.zeros((0, 2), dtype=np.int64)
    own = np.arange(len(flow), dtype=np.int32)
    if mode == "sets":
        return Barriers(mode, own, flow.edges, none)
    if mode == "tasks":
        return Barriers(mode, own, flow.edges[~flow.each], each_edges(flow))
    pipeline = np.zeros(len(flow), dtype=np.int32) if mode == "sequential" else pipelines(flow)
    group, chain = _stages(stages(flow), pipeline)
    return Barriers(mode, group, _lifted(flow, group, chain), none)


def stages(flow: Workflow) -> Array:
    """Return the stage of every set, int32[n]: its label, else its level in the graph."""
    return flow.level if flow.stage is None else flow.stage


def pipelines(flow: Workflow) -> Array:
    """Return the pipeline of every set, int32[n]: its label, else its connected component."""
    if flow.pipeline is not None:
        return flow.pipeline
    links = csr_array(
        (np.ones(len(flow.edges)), (flow.edges[:, 0], flow.edges[:, 1])), shape=(len(flow),) * 2
    )
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int32)


def _stages(stage: Array, pipeline: Array) -> tuple[Array, Array]:
    """Number groups by (pipeline, stage); return them and the chain of each pipeline's groups."""
    pairs, group = np.unique(np.stack([pipeline, stage], axis=1), axis=0, return_inverse=True)
    same = np.flatnonzero(pairs[1:, 0] == pairs[:-1, 0])
    return group.ravel().astype(np.int32), np.stack([same, same + 1], axis=1)


def _lifted(flow: Workflow, group: Array, chain: Array) -> Array:
    """Return the chain and the workflow's own edges between groups, each once."""
    lifted = group[flow.edges]
    inside = lifted[:, 0] == lifted[:, 1]
    if inside.any():
        p, c = flow.edges[np.argmax(inside)]
        _contradiction(flow, int(p), int(c))
    edges = np.unique(np.concatenate([chain, lifted]), axis=0).astype(np.int32)
    count = int(group.max()) + 1
    children = graph.adjacency(count, edges[:, 0], edges[:, 1])
    order = graph.topological_order(children)
    if len(order) < count:
        ring = set(graph.cycle(children, order))
        bad = next(
            (p, c) for (p, c), (a, b) in zip(flow.edges, lifted, strict=True) if {a, b} <= ring
        )
        _contradiction(flow, int(bad[0]), int(bad[1]))
    return edges


def _contradiction(flow: Workflow, parent: int, child: int) -> None:
    raise WorkflowError(
        "stages that keep to the edges",
        f"{flow.ids[child]!r} not in a later stage than its parent {flow.ids[parent]!r}",
        "correct its stage or pipeline",
    )


def each_edges(flow: Workflow) -> Array:
    """Return the edges between single tasks of relation "each", int64[l, 2].

    Child task j of m waits for the parent tasks i of n with floor(j n / m) <= i <
    ceil((j + 1) n / m), at least one.
    """
    found = [np.zeros((0, 2), dtype=np.int64)]
    for parent, child in flow.edges[flow.each]:
        n, m = int(flow.tasks[parent]), int(flow.tasks[child])
        j = np.arange(m, dtype=np.int64)
        low = j * n // m
        count = np.maximum(-(-(j + 1) * n // m) - low, 1)
        kid = np.repeat(j, count)
        within = np.arange(len(kid)) - np.repeat(np.cumsum(count) - count, count)
        found.append(
            np.stack(
                [low[kid] + within + flow.first_task[parent], kid + flow.first_task[child]], axis=1
            )
        )
    return np.concatenate(found)
