"""Figures of a workflow before and while it runs: degrees, work, span, sequential time, bounds.

The definitions of the degrees, of t_seq and of the bound on t_async are a reconstruction of the
model of arXiv 2208.11069 from first principles (its own wording may differ); Graham's bounds are
those of Graham 1969.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from panda_gym.workflows import graph
from panda_gym.workflows.degrees import Degrees, degrees, residual_degrees
from panda_gym.workflows.execution import Execution, ideal_execution
from panda_gym.workflows.pool import RESOURCES, UNBOUNDED, Pool, check_fits, needs
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray


@dataclass(frozen=True)
class Analysis:
    """Shape and bounds of a workflow on a pool; times in s, from mean durations."""

    name: str
    """Name of the workflow."""
    pool: str
    """Name of the pool."""
    sets: int
    """Number of task sets."""
    tasks: int
    """Number of tasks."""
    edges: int
    """Number of edges between sets."""
    kinds: int
    """Number of kinds of work."""
    depth: int
    """Number of sets on the longest chain."""
    doa_dep: int
    """Degree of asynchronicity that the dependencies permit: width - 1."""
    doa_dep_exact: bool
    """Whether it is exact, else a lower bound."""
    doa_res: int
    """Degree that the resources permit."""
    doa_res_exact: bool
    """Whether it is exact, else a lower bound."""
    wla: int
    """The smaller of both degrees."""
    work_s: float
    """Sum of the durations of all tasks."""
    span_s: float
    """Longest path: a lower bound of the time to execution on any pool."""
    area_s: Mapping[str, float]
    """Demand over capacity by resource: lower bounds of the time to execution."""
    t_seq_s: float
    """Sum over the stages of the time of each on the pool, see `t_seq_s`."""
    t_async_bound_s: float
    """Largest of span and areas: a lower bound of asynchronous execution."""
    improvement_bound: float
    """1 - t_async_bound / t_seq: upper bound of the relative improvement I."""
    masked_bound_s: float
    """t_seq - t_async_bound: upper bound of the time that can be masked."""

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON data."""
        return asdict(self)


def analyse(flow: Workflow, pool: Pool) -> Analysis:
    """Return the figures of a workflow on a pool; WorkflowError if a task fits on no node."""
    need = needs(flow, pool.threads_per_core)
    check_fits(flow, need, pool.node_capacity[None], repr(pool.name))
    found = degrees(flow, pool)
    area = areas_s(flow, pool)
    span = span_s(flow)
    bound = max(span, *area.values())
    sequential = t_seq_s(flow, pool)
    return Analysis(
        name=flow.name,
        pool=pool.name,
        sets=len(flow),
        tasks=flow.total_tasks,
        edges=len(flow.edges),
        kinds=len(flow.kind_names),
        depth=int(flow.level.max()) + 1,
        doa_dep=found.doa_dep,
        doa_dep_exact=found.exact_dep,
        doa_res=found.doa_res,
        doa_res_exact=found.exact_res,
        wla=found.wla,
        work_s=work_s(flow),
        span_s=span,
        area_s=area,
        t_seq_s=sequential,
        t_async_bound_s=bound,
        improvement_bound=improvement(sequential, bound),
        masked_bound_s=sequential - bound,
    )


def residual_at(run: Execution, pool: Pool, time_s: float) -> Degrees:
    """Return the residual degrees of an execution at a time, s."""
    flow = run.workflow
    owner = flow.task_set()
    started, ended = run.start <= time_s, run.stop <= time_s
    unstarted = np.bincount(owner[~started], minlength=len(flow))
    unfinished = np.bincount(owner[~ended], minlength=len(flow))
    return residual_degrees(flow, pool, unstarted, unfinished, _free_at(run, started & ~ended))


def _free_at(run: Execution, running: Array) -> Array:
    """Return the free capacity of every node, int64[M, 3]; of one node if none was recorded."""
    owner, free = run.workflow.task_set(), run.capacity.copy()
    if (run.node < 0).any():
        return free.sum(axis=0, keepdims=True) - run.need[owner[running]].sum(axis=0)
    np.subtract.at(free, run.node[running], run.need[owner[running]])
    return free


def masked_s(flow: Workflow, pool: Pool, run: Execution) -> float:
    """Return the time that an execution masked: t_seq minus its time to execution, s."""
    return t_seq_s(flow, pool) - run.ttx_s


def work_s(flow: Workflow) -> float:
    """Return the sum of the mean durations of all tasks, s."""
    return float(np.dot(flow.tasks.astype(np.float64), flow.mean_s))


def span_s(flow: Workflow) -> float:
    """Return the longest path of mean durations, s."""
    return float(graph.longest_from_roots(flow.children, flow.order, flow.mean_s).max())


def areas_s(flow: Workflow, pool: Pool) -> dict[str, float]:
    """Return demand over capacity of every bounded resource that is needed, s."""
    need = needs(flow, pool.threads_per_core)
    held = (need * (flow.tasks * flow.mean_s)[:, None]).sum(axis=0)
    return {
        name: float(held[r] / pool.capacity[r])
        for r, name in enumerate(RESOURCES)
        if need[:, r].any() and pool.capacity[r] < UNBOUNDED
    }


def t_seq_s(flow: Workflow, pool: Pool) -> float:
    """Return the sequential time: the sum over the stages of the time of each on the pool, s.

    The sets of a stage run side by side as far as the capacity permits, by FIFO and first fit,
    with mean durations. It is the time to execution of the mode `sequential` without overheads.
    """
    return ideal_execution(flow, pool, "sequential").ttx_s


def improvement(t_seq: float, t_async: float) -> float:
    """Return the relative improvement I = 1 - t_async / t_seq; 0 if t_seq is 0."""
    return 1.0 - t_async / t_seq if t_seq > 0.0 else 0.0


def graham_bounds(work: float, span: float, cores: int) -> tuple[float, float]:
    """Return the bounds of a greedy schedule on identical cores, s (Graham 1969).

    max(span, W / p) <= T <= W / p + span (1 - 1 / p), for tasks of one core each.
    """
    return max(span, work / cores), work / cores + span * (1.0 - 1.0 / cores)
