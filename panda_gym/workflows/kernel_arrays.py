"""Build the kernel's arrays from a workflow, an execution mode and a pool or platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.sites import Platform
from panda_gym.units import BYTES_PER_MB
from panda_gym.workflows import graph
from panda_gym.workflows.barriers import Barriers, barriers
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import UNBOUNDED, Pool, check_fits, needs
from panda_gym.workflows.state import (
    AMOUNTS,
    FLOW,
    GROUP_STATIC,
    LINK,
    SET_STATIC,
    TASK_STATIC,
    Machine,
    WorkflowArrays,
)
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray


def machine_arrays(
    resource: Pool | Platform,
    overheads: Overheads,
    *,
    home: str | None = None,
    reference_power: float | None = None,
) -> Machine:
    """Return the kernel's arrays of a pool, or of a platform whose sites are nodes of job slots.

    Args:
        home: site that holds inputs from outside; None: every site has them.
        reference_power: HS23 per core to which durations refer; None: the platform's mean.
    """
    if isinstance(resource, Pool):
        return _pool_arrays(resource, overheads)
    if not isinstance(resource, Platform):
        raise WorkflowError("a Pool or a Platform to run on", repr(resource), "pass Pool(...)")
    if reference_power is None:
        reference_power = float(np.average(resource.power, weights=resource.cores))
    return Machine(
        amounts(capacities(resource)),
        np.arange(len(resource) + 1, dtype=np.int32),
        reference_power / resource.power,
        resource.bandwidth_mbps * BYTES_PER_MB,
        np.array(resource.latency_s),
        -1 if home is None else resource.index(home),
        *(float(overheads.gap_s), float(overheads.launch_s)),
    )


def _pool_arrays(pool: Pool, overheads: Overheads) -> Machine:
    return Machine(
        amounts(capacities(pool)),
        np.array([0, pool.nodes], dtype=np.int32),
        *(np.ones(1), np.full((1, 1), np.inf), np.zeros((1, 1))),
        *(-1, float(overheads.gap_s), float(overheads.launch_s)),
    )


def capacities(resource: Pool | Platform) -> Array:
    """Return threads, GPUs and MB of every node, int64[M, 3]; a site is one node of job slots."""
    if isinstance(resource, Pool):
        return np.tile(resource.node_capacity, (resource.nodes, 1))
    slots = resource.cores.astype(np.int64)
    return np.stack([slots, np.zeros_like(slots), np.full_like(slots, UNBOUNDED)], axis=1)


def amounts(rows: Array) -> Array:
    """View int64[k, 3] as AMOUNTS[k]."""
    return np.ascontiguousarray(rows, dtype=np.int64).view(AMOUNTS)[:, 0]


def workflow_arrays(
    flow: Workflow, resource: Pool | Platform, mode: str, priority: Array | None = None
) -> WorkflowArrays:
    """Return the kernel's arrays of one workflow (W = 1); WorkflowError if a task fits nowhere."""
    need, name = need_on(flow, resource)
    check_fits(flow, need, np.unique(capacities(resource), axis=0), name)
    bars = barriers(flow, mode)
    sets, class_first, links = _sets(flow, need, bars, priority)
    groups, group_set, child = _groups(flow, bars)
    tasks, task_child = _tasks(flow, bars)
    counts = (len(flow), flow.total_tasks, bars.groups, len(class_first) - 1, len(bars.task_edges))
    whole = np.array([(*counts[:4], counts[4] > 0)], dtype=FLOW)
    rows = (sets, tasks, groups, class_first, group_set, child, task_child, links)
    return WorkflowArrays(whole, *(row[None] for row in rows))


def need_on(flow: Workflow, resource: Pool | Platform) -> tuple[Array, str]:
    """Return the needs int64[n, 3] on a resource, and the resource's name for errors."""
    per_core = resource.threads_per_core if isinstance(resource, Pool) else 1
    return needs(flow, per_core), f"{resource.name!r}"


def _sets(
    flow: Workflow, need: Array, bars: Barriers, priority: Array | None
) -> tuple[Array, Array, Array]:
    """Return SET_STATIC[n + 1], the first heap entry of every class, and LINK[m]."""
    distinct, need_class = np.unique(need, axis=0, return_inverse=True)
    parents = flow.parents
    sets = np.zeros(len(flow) + 1, dtype=SET_STATIC)
    for r, field in enumerate(AMOUNTS.names or ()):
        sets[field][:-1] = need[:, r]
    sets["priority"][:-1] = 0.0 if priority is None else priority
    sets["mean_s"][:-1] = flow.mean_s
    sets["input_bytes"][:-1] = flow.input_bytes
    sets["first_task"] = flow.first_task
    sets["need_class"][:-1] = need_class.ravel()
    sets["group"][:-1] = bars.group
    sets["first_link"] = parents.first
    links = np.zeros(max(len(flow.edges), 1), dtype=LINK)
    links["parent"][: len(parents.node)] = parents.node
    links["bytes"][: len(parents.node)] = flow.edge_bytes[parents.edge]
    links["each"][: len(parents.node)] = flow.each[parents.edge]
    return sets, _first(need_class.ravel(), len(distinct)), links


def _groups(flow: Workflow, bars: Barriers) -> tuple[Array, Array, Array]:
    """Return GROUP_STATIC[g + 1], the sets of the groups and the child groups."""
    count = bars.groups
    children = graph.adjacency(count, bars.edges[:, 0], bars.edges[:, 1])
    groups = np.zeros(count + 1, dtype=GROUP_STATIC)
    groups["first_set"] = _first(bars.group, count)
    groups["first_child"] = children.first
    groups["parents"][:-1] = np.bincount(bars.edges[:, 1], minlength=count)
    groups["tasks"][:-1] = np.bincount(bars.group, weights=flow.tasks, minlength=count)
    return groups, np.argsort(bars.group, kind="stable").astype(np.int32), _some(children.node)


def _tasks(flow: Workflow, bars: Barriers) -> tuple[Array, Array]:
    """Return TASK_STATIC[N + 1] and the child tasks of the edges between tasks."""
    count = flow.total_tasks
    tasks = np.zeros(count + 1, dtype=TASK_STATIC)
    tasks["set"][:-1] = flow.task_set()
    tasks["parents"][:-1] = np.bincount(bars.task_edges[:, 1], minlength=count) + 1
    if len(bars.task_edges) == 0:
        return tasks, np.zeros(1, dtype=np.int32)
    children = graph.adjacency(count, bars.task_edges[:, 0], bars.task_edges[:, 1])
    tasks["first_child"] = children.first
    return tasks, children.node


def _first(label: Array, count: int) -> Array:
    """Return where the members of every label begin when sorted by label, int32[count + 1]."""
    first = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(np.bincount(label, minlength=count), out=first[1:])
    return first


def _some(array: Array) -> Array:
    return array if len(array) else np.zeros(1, dtype=array.dtype)


def stack_workflows(workflows: Sequence[WorkflowArrays]) -> WorkflowArrays:
    """Stack several workflows into one library, rows padded with zeros to the longest."""
    columns = []
    for field in WorkflowArrays._fields:
        parts = [getattr(one, field) for one in workflows]
        size = tuple(max(part.shape[d] for part in parts) for d in range(1, parts[0].ndim))
        whole = np.zeros((len(workflows), *size), dtype=parts[0].dtype)
        for w, part in enumerate(parts):
            inside: Any = (w, *(slice(length) for length in part.shape[1:]))
            whole[inside] = part[0]
        columns.append(whole)
    return WorkflowArrays(*columns)
