"""An execution: when and where every task ran, and what follows from that; knows no policy.

`simulate` runs a workflow; a recorded run is the same record made by `replay`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from panda_gym.errors import WorkflowError, check_seed, nearest
from panda_gym.sites import Platform
from panda_gym.workflows.listing import run
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.plan import capacities, machine_of, need_on, plan_of
from panda_gym.workflows.pool import RESOURCES, UNBOUNDED, Pool
from panda_gym.workflows.priorities import priority as priority_of
from panda_gym.workflows.state import make_state
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

SITE_RULES: Final = ("earliest_finish", "least_loaded")


@dataclass(frozen=True, eq=False)
class Execution:
    """N tasks on M nodes: times in s from the first possible start, after the bootstrap."""

    workflow: Workflow
    """What ran."""
    resource: str
    """Name of the pool or platform."""
    mode: str
    """How it was barred; `recorded` for a replay."""
    capacity: Array
    """int64[M, 3]: capacity of every node."""
    node_names: tuple[str, ...]
    """Names of the nodes, or of the sites of a platform."""
    need: Array
    """int64[n, 3]: what a task of every set held."""
    start: Array
    """float64[N]: when a task took its resources."""
    stop: Array
    """float64[N]: when it gave them back."""
    node: Array
    """int32[N]: where; -1 if not recorded."""
    placed: Array
    """float64[N]: when it was sent to its node; input travels between that and start."""
    overheads: Overheads
    """What was added to the work."""

    @property
    def ttx_s(self) -> float:
        """Time to execution: first start to last stop."""
        return float(self.stop.max() - self.start.min())

    @property
    def lifetime_s(self) -> float:
        """Time to execution with bootstrap and tail: what the allocation is paid for."""
        return self.overheads.bootstrap_s + self.ttx_s + self.overheads.tail_s

    @cached_property
    def utilisation(self) -> Mapping[str, float]:
        """Held share of threads, GPUs and memory over the time to execution, where bounded."""
        held = self.need[self.workflow.task_set()] * (self.stop - self.start)[:, None]
        total = self.capacity.sum(axis=0) * self.ttx_s
        bounded = np.any(self.capacity > 0, axis=0) & np.all(self.capacity < UNBOUNDED, axis=0)
        return {
            name: float(held[:, r].sum() / total[r]) if total[r] > 0.0 else 0.0
            for r, name in enumerate(RESOURCES)
            if bounded[r]
        }

    def set_start(self) -> Array:
        """First start of every set, float64[n]."""
        return np.minimum.reduceat(self.start, self.workflow.first_task[:-1])

    def set_stop(self) -> Array:
        """Last stop of every set, float64[n]."""
        return np.maximum.reduceat(self.stop, self.workflow.first_task[:-1])

    def peak(self) -> Array:
        """Most that was held at once of every resource, over all nodes, int64[3]."""
        return np.array([profile(self, r)[1].max() for r in range(3)])


def profile(run: Execution, resource: int) -> tuple[Array, Array]:
    """Held amount of a resource over time: (times float64[k], amount from each on int64[k]).

    What is given back at an instant can be taken at that instant.
    """
    held = run.need[run.workflow.task_set(), resource]
    return steps(run.start, run.stop, held)


def steps(start: Array, stop: Array, amount: Array) -> tuple[Array, Array]:
    """Sum of `amount` over the intervals [start, stop) as a step function."""
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
    """Run a workflow event by event.

    mode: one of barriers.MODES. priority: one of priorities.PRIORITIES. On a platform site_rule
    is `earliest_finish` (of transfer or wait, plus run: HEFT's choice of processor) or
    `least_loaded`; home and reference_power as in plan.machine_of. All durations are drawn
    before the run, so that two modes of one seed meet the same tasks. WorkflowError if a task
    fits on no node.
    """
    overheads = overheads or Overheads()
    rng = np.random.default_rng(check_seed(seed))
    if site_rule not in SITE_RULES:
        raise WorkflowError("a site rule", repr(site_rule), nearest(str(site_rule), SITE_RULES))
    machine = machine_of(resource, overheads, home=home, reference_power=reference_power)
    duration = flow.draw(rng)
    cost = mean_transfer_s(flow, resource)
    plan = plan_of(flow, resource, mode, priority_of(priority, flow, cost, rng))
    state = make_state(plan, machine, 1)
    state.tasks["duration"][0] = duration
    run(plan, machine, state, 0, 0, site_rule == "earliest_finish")
    return execution_of(flow, resource, mode, overheads, state.tasks[0])


def execution_of(
    flow: Workflow, resource: Pool | Platform, mode: str, overheads: Overheads, ran: Array
) -> Execution:
    """The execution that the kernel's records of tasks describe; ran: TASK[N]."""
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
    """Names of the nodes of a pool, or of the sites of a platform."""
    if isinstance(resource, Pool):
        return tuple(f"{resource.name}-{i}" for i in range(resource.nodes))
    return resource.names


def mean_transfer_s(flow: Workflow, resource: Pool | Platform) -> Array:
    """Mean time to move an edge's data between two sites, float64[m] s; 0 in a pool."""
    if isinstance(resource, Pool) or len(resource) == 1:
        return np.zeros(len(flow.edges))
    apart = ~np.eye(len(resource), dtype=bool)
    per_byte = float(np.mean(1e-6 / resource.bandwidth_mbps[apart]))
    latency = float(resource.latency_s[apart].mean())
    return np.where(flow.edge_bytes > 0.0, latency + flow.edge_bytes * per_byte, 0.0)
