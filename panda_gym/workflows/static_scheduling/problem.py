"""Static scheduling problems: cost matrices, transfers and capacities of a workflow's processors.

A processor is a node of a pool, a site of a platform, or a processor of the literature, which runs
one task at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.sites import Platform
from panda_gym.workflows import graph
from panda_gym.workflows.kernel_arrays import capacities, machine_arrays, need_on
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import Pool, check_fits
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class SchedulingProblem:
    """Schedule n task sets and m edges on P processors; times in s."""

    tasks: Array
    """int64[n]: number of tasks of every set."""
    edges: Array
    """int32[m, 2]: (parent, child)."""
    each: Array
    """bool[m]: relation `each`, see `workflow.Edge`."""
    bytes: Array
    """float64[m]: data that one child task reads of the parent set."""
    cost: Array
    """float64[n, P]: run time of a task of a set on a processor; infinity where it does not fit."""
    need: Array
    """int64[n, 3]: threads, GPUs and MB that a task holds."""
    capacity: Array
    """int64[P, 3]: threads, GPUs and MB of a processor."""
    seconds_per_byte: Array
    """float64[P, P]: transfer time of a byte, [source, destination], 0 within a processor."""
    latency: Array
    """float64[P, P]: latency of a transfer, 0 within a processor."""
    arrival: Array
    """float64[n, P]: when a set's input from outside the workflow is at a processor."""
    gap_s: float = 0.0
    """Time from the end of the parents to the release of a set."""

    @classmethod
    def from_matrices(
        cls, cost: Sequence[Sequence[float]], edges: Sequence[tuple[int, int, float]]
    ) -> SchedulingProblem:
        """Return the problem of the literature: single tasks on processors that run one at a time.

        `cost` is float[n, P]; an edge is (parent, child, transfer time between two processors).
        Raises WorkflowError if the matrix is not rectangular, or the edges have a cycle.
        """
        matrix = np.array(cost, dtype=np.float64)
        if matrix.ndim != 2 or not (matrix >= 0.0).all():
            raise WorkflowError(
                "a matrix of run times [tasks, processors]", f"{matrix.shape}", "pass n rows"
            )
        n, processors = matrix.shape
        apart = 1.0 - np.eye(processors)
        one = np.zeros((n, 3), dtype=np.int64)
        one[:, 0] = 1
        problem = cls(
            tasks=np.ones(n, dtype=np.int64),
            edges=np.array([edge[:2] for edge in edges], dtype=np.int32).reshape(-1, 2),
            each=np.zeros(len(edges), dtype=bool),
            bytes=np.array([edge[2] for edge in edges], dtype=np.float64),
            cost=matrix,
            need=one,
            capacity=np.tile(np.array([[1, 0, 0]]), (processors, 1)),
            seconds_per_byte=apart,
            latency=np.zeros((processors, processors)),
            arrival=np.zeros((n, processors)),
        )
        if len(problem.order) < n:
            raise WorkflowError("edges without cycles", "a cycle", "drop an edge")
        return problem

    def __len__(self) -> int:
        return len(self.tasks)

    @property
    def processors(self) -> int:
        """Number of processors."""
        return self.cost.shape[1]

    @cached_property
    def children(self) -> graph.Adjacency:
        """Children of every set."""
        return graph.adjacency(len(self), self.edges[:, 0], self.edges[:, 1])

    @cached_property
    def parents(self) -> graph.Adjacency:
        """Parents of every set."""
        return graph.adjacency(len(self), self.edges[:, 1], self.edges[:, 0])

    @cached_property
    def order(self) -> Array:
        """Topological order of the sets, int32[n]."""
        return graph.topological_order(self.children)

    @cached_property
    def mean_cost(self) -> Array:
        """Mean run time over the processors on which a task fits, float64[n]."""
        fits = np.isfinite(self.cost)
        return np.where(fits, self.cost, 0.0).sum(axis=1) / np.maximum(fits.sum(axis=1), 1)

    @cached_property
    def mean_transfer(self) -> Array:
        """Mean transfer time of an edge between two different processors, float64[m].

        NOTE[DIFF] The mean over pairs of processors; Topcuoglu et al. divide by a mean rate. Both
        agree where all rates are equal.
        """
        count = self.processors * (self.processors - 1)
        if count == 0:
            return np.zeros(len(self.edges))
        apart = ~np.eye(self.processors, dtype=bool)
        rate, latency = self.seconds_per_byte[apart].mean(), self.latency[apart].mean()
        return np.where(self.bytes > 0.0, latency + self.bytes * rate, 0.0)

    def transfer(self, source: int, size: float) -> Array:
        """Return the time to transfer `size` from a processor to every one, float64[P]."""
        if size <= 0.0:
            return np.zeros(self.processors)
        return self.latency[source] + size * self.seconds_per_byte[source]


def problem_of(
    flow: Workflow,
    resource: Pool | Platform,
    *,
    overheads: Overheads | None = None,
    home: str | None = None,
    reference_power: float | None = None,
) -> SchedulingProblem:
    """Return the problem of a workflow on a pool or platform, from mean durations.

    Options are as in `execution.simulate`; WorkflowError if a task fits on no node.
    """
    overheads = overheads or Overheads()
    machine = machine_arrays(resource, overheads, home=home, reference_power=reference_power)
    need, name = need_on(flow, resource)
    capacity = capacities(resource)
    check_fits(flow, need, np.unique(capacity, axis=0), name)
    site = np.repeat(np.arange(len(machine.slowness)), np.diff(machine.site_first))
    fits = np.all(need[:, None, :] <= capacity[None, :, :], axis=2)
    run = machine.launch_s + flow.mean_s[:, None] * machine.slowness[site][None, :]
    same = site[:, None] == site[None, :]
    rate = np.where(same, 0.0, 1.0 / machine.bandwidth[site][:, site])
    latency = np.where(same, 0.0, machine.latency[site][:, site])
    arrival = np.zeros(run.shape)
    if machine.home >= 0:
        first = int(np.flatnonzero(site == machine.home)[0])
        outside = latency[first] + flow.input_bytes[:, None] * rate[first]
        arrival = np.where(flow.input_bytes[:, None] > 0.0, outside, 0.0)
    return SchedulingProblem(
        tasks=flow.tasks.astype(np.int64),
        edges=flow.edges,
        each=flow.each,
        bytes=flow.edge_bytes,
        cost=np.where(fits, run, np.inf),
        need=need,
        capacity=capacity,
        seconds_per_byte=rate,
        latency=latency,
        arrival=arrival,
        gap_s=machine.gap_s,
    )


def lower_bound_s(problem: SchedulingProblem) -> float:
    """Return a lower bound of the makespan: the larger of the critical path and the area.

    The path takes every task's least run time and no transfers. The area is the least demand of
    every resource over its capacity.
    """
    least = problem.cost.min(axis=1)
    gaps = np.zeros(len(problem))
    gaps[problem.edges[:, 1]] = problem.gap_s
    path = graph.longest_from_roots(problem.children, problem.order, least + gaps)
    held = (problem.need * (problem.tasks * least)[:, None]).sum(axis=0)
    total = problem.capacity.sum(axis=0)
    area = held[total > 0] / total[total > 0]
    return float(max(path.max(), area.max(initial=0.0)))
