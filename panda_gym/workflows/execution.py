"""Executions of workflows: when and where every task ran, and the figures that follow.

`simulate` runs a workflow; `replay.read_recorded` makes the same record of a recorded run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from panda_gym.errors import WorkflowError, check_seed, nearest
from panda_gym.sites import Platform
from panda_gym.workflows.kernel_arrays import capacities, machine_arrays, need_on, workflow_arrays
from panda_gym.workflows.list_scheduling import run_list_schedule
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import RESOURCES, UNBOUNDED, Pool
from panda_gym.workflows.priorities import priority as priority_of
from panda_gym.workflows.state import make_state
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

SITE_RULES: Final = ("earliest_finish", "least_loaded")
"""Rules by which `simulate` chooses a site of a platform."""


@dataclass(frozen=True, eq=False)
class Execution:
    """Execution of N tasks on M nodes; times in s from the end of the bootstrap."""

    workflow: Workflow
    """The workflow that ran."""
    resource: str
    """Name of the pool or platform."""
    mode: str
    """Execution mode, one of `barriers.MODES`; `recorded` for a recorded run."""
    capacity: Array
    """int64[M, 3]: capacity of every node."""
    node_names: tuple[str, ...]
    """Names of the nodes, or of the sites of a platform."""
    need: Array
    """int64[n, 3]: threads, GPUs and MB that a task of every set held."""
    start: Array
    """float64[N]: when a task took its resources."""
    stop: Array
    """float64[N]: when it freed them."""
    node: Array
    """int32[N]: node (or site of a platform); -1 if not recorded."""
    placed: Array
    """float64[N]: when it was sent to its node; its input is transferred until it starts."""
    overheads: Overheads
    """Overheads that were added to the work."""

    @property
    def ttx_s(self) -> float:
        """Time to execution: first start to last stop, s."""
        return float(self.stop.max() - self.start.min())

    @property
    def lifetime_s(self) -> float:
        """Lifetime of the allocation: bootstrap, time to execution and tail, s."""
        return self.overheads.bootstrap_s + self.ttx_s + self.overheads.tail_s

    @cached_property
    def utilisation(self) -> Mapping[str, float]:
        """Utilisation of threads, GPUs and memory over the time to execution, where bounded."""
        held = self.need[self.workflow.task_set()] * (self.stop - self.start)[:, None]
        total = self.capacity.sum(axis=0) * self.ttx_s
        bounded = np.any(self.capacity > 0, axis=0) & np.all(self.capacity < UNBOUNDED, axis=0)
        return {
            name: float(held[:, r].sum() / total[r]) if total[r] > 0.0 else 0.0
            for r, name in enumerate(RESOURCES)
            if bounded[r]
        }

    def set_start(self) -> Array:
        """Return the first start of every set, float64[n], s."""
        return np.minimum.reduceat(self.start, self.workflow.first_task[:-1])

    def set_stop(self) -> Array:
        """Return the last stop of every set, float64[n], s."""
        return np.maximum.reduceat(self.stop, self.workflow.first_task[:-1])

    def peak(self) -> Array:
        """Return the peak use of every resource over all nodes, int64[3]."""
        return np.array([profile(self, r)[1].max() for r in range(3)])


def profile(run: Execution, resource: int) -> tuple[Array, Array]:
    """Return the use of a resource over time: times float64[k], amount from each on int64[k].

    Resources that are freed at an instant can be taken at that instant.
    """
    held = run.need[run.workflow.task_set(), resource]
    return steps(run.start, run.stop, held)


def steps(start: Array, stop: Array, amount: Array) -> tuple[Array, Array]:
    """Return the sum of `amount` over the intervals [start, stop) as a step function."""
    time = np.concatenate([stop, start])
    change = np.concatenate([-amount, amount])
    times, where = np.unique(time, return_inverse=True)
    # Sums of whole numbers below 2**53 are exact in float64.
    jump = np.bincount(where.ravel(), weights=change, minlength=len(times))
    return times, np.cumsum(jump).astype(np.int64)


def simulate(
    flow: Workflow,
    resource: Pool | Platform,
    mode: str = "sets",
    *,
    priority: str = "fifo",
    overheads: Overheads | None = None,
    seed: int = 0,
    site_rule: str = "earliest_finish",
    home: str | None = None,
    reference_power: float | None = None,
) -> Execution:
    """Simulate a workflow on a pool or platform by online list scheduling.

    All durations are drawn before the run, so that two modes with one seed have equal tasks.

    Args:
        mode: execution mode, one of `barriers.MODES`.
        priority: order of ready sets, one of `priorities.PRIORITIES`.
        overheads: overheads in s; None: none.
        seed: seed of the durations and of the priority `random`.
        site_rule: choice of a platform's site, `earliest_finish` (of transfer or wait, plus run)
            or `least_loaded`.
        home: site that holds inputs from outside, see `kernel_arrays.machine_arrays`.
        reference_power: HS23 per core to which durations refer, see there.

    Raises:
        WorkflowError: a task fits on no node, or an argument is unknown.
    """
    overheads = overheads or Overheads()
    rng = np.random.default_rng(check_seed(seed))
    if site_rule not in SITE_RULES:
        raise WorkflowError("a site rule", repr(site_rule), nearest(str(site_rule), SITE_RULES))
    machine = machine_arrays(resource, overheads, home=home, reference_power=reference_power)
    duration = flow.draw(rng)
    cost = mean_transfer_s(flow, resource)
    library = workflow_arrays(flow, resource, mode, priority_of(priority, flow, cost, rng))
    state = make_state(library, machine, 1)
    state.tasks["duration"][0] = duration
    run_list_schedule(library, machine, state, 0, 0, site_rule == "earliest_finish")
    return execution_of(flow, resource, mode, overheads, state.tasks[0])


def ideal_execution(flow: Workflow, pool: Pool, mode: str) -> Execution:
    """Simulate a workflow on a pool by FIFO, with mean durations and without overheads."""
    machine, library = machine_arrays(pool, Overheads()), workflow_arrays(flow, pool, mode)
    state = make_state(library, machine, 1)
    state.tasks["duration"][0] = flow.mean_s[flow.task_set()]
    run_list_schedule(library, machine, state, 0, 0, True)
    return execution_of(flow, pool, mode, Overheads(), state.tasks[0])


def execution_of(
    flow: Workflow, resource: Pool | Platform, mode: str, overheads: Overheads, ran: Array
) -> Execution:
    """Return the execution that the kernel's task records `ran`, TASK[N], describe."""
    return Execution(
        workflow=flow,
        resource=resource.name,
        mode=mode,
        capacity=capacities(resource),
        node_names=node_names(resource),
        need=need_on(flow, resource)[0],
        start=np.array(ran["start"]),
        stop=np.array(ran["stop"]),
        node=np.array(ran["node"]),
        placed=np.array(ran["placed"]),
        overheads=overheads,
    )


def node_names(resource: Pool | Platform) -> tuple[str, ...]:
    """Return the names of the nodes of a pool, or of the sites of a platform."""
    if isinstance(resource, Pool):
        return tuple(f"{resource.name}-{i}" for i in range(resource.nodes))
    return resource.names


def mean_transfer_s(flow: Workflow, resource: Pool | Platform) -> Array:
    """Return the mean time to transfer an edge's data between two sites, float64[m], s.

    It is 0 in a pool and on a platform of one site.
    """
    if isinstance(resource, Pool) or len(resource) == 1:
        return np.zeros(len(flow.edges))
    apart = ~np.eye(len(resource), dtype=bool)
    per_byte = float(np.mean(1e-6 / resource.bandwidth_mbps[apart]))
    latency = float(resource.latency_s[apart].mean())
    return np.where(flow.edge_bytes > 0.0, latency + flow.edge_bytes * per_byte, 0.0)
