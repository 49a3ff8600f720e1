"""Lower bounds of the makespan, proven by plain arithmetic.

A job holds a node at least for its run and for its longest transfer from the best store. The first
job of a node also waits for its data to come from tape, through the best store. So a schedule of
makespan T packs the jobs into the nodes, and a job that cannot end by T fits nowhere. Nodes of one
speed are taken together as a class.

`packing_proof` proves for one T that no packing exists. Steps that double, and then bisection,
find the largest such T.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.errors import InstanceError
from panda_gym.joint.instance import Instance
from panda_gym.joint.packing_proof import Packing, is_impossible

Array = np.ndarray
MOST_CLASSES: Final = 12
"""Classes of nodes; with more speeds, near ones share a class and its fastest speed."""
MOST_GROUPS: Final = 250
"""Groups of jobs; with more jobs, near ones share a group and its shortest times."""
FIRST_STEP: Final = 1e-3
"""Share by which the first target is above the simple bound; the next steps double."""
RELATIVE: Final = 2e-4
"""Bisection ends at this relative width."""


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Groups of jobs and classes of nodes, with times that no schedule goes below."""

    hold: Array
    """Least time that a job of a group holds a node of a class, float64[I, K], s."""
    alone: Array
    """Least end of a job of a group on a node of a class, float64[I, K], s."""
    wait: Array
    """Least time by which the first job of a node ends later than its hold, float64[K], s."""
    jobs: Array
    """Jobs of each group, int64[I]."""
    nodes: Array
    """Nodes of each class, int64[K]."""

    def packing(self, target: float) -> Packing:
        """Return the packing that a schedule of this makespan would be."""
        size = self.hold / np.maximum(target - self.wait, 1e-300)
        size = np.where(self.alone <= target, size, np.inf)
        return Packing(size, self.jobs, self.nodes)


def lower_bound(instance: Instance, *, below_s: float = np.inf, cpu_s: float = 60.0) -> float:
    """Return a makespan that no schedule is below, s.

    below_s: a known makespan, above which no bound is sought. cpu_s: CPU seconds after which the
    best bound so far is returned; InstanceError unless it is above 0.
    """
    if not cpu_s > 0.0:
        raise InstanceError("a budget above 0 CPU seconds", repr(cpu_s), "correct it")
    begin, low = time.process_time(), simple_bound(relaxation(instance, instance.jobs))
    relaxed, columns, step = relaxation(instance, MOST_GROUPS), dict[Any, Any](), FIRST_STEP
    high = np.inf
    while high > low * (1.0 + RELATIVE) and low < below_s:
        left = cpu_s - (time.process_time() - begin)
        if left <= 0.0:
            break
        target = min(low * (1.0 + step), below_s) if high == np.inf else (low + high) / 2.0
        proven, columns = is_impossible(relaxed.packing(target), columns, left)
        low, high, step = (target, high, 2.0 * step) if proven else (low, target, step)
    return low


def relaxation(instance: Instance, groups: int) -> Relaxation:
    """Return the relaxation of an instance with at most so many groups of jobs."""
    classes = _classes(instance.speed)
    times = [_times(instance, nodes) for nodes in classes]
    hold, alone = (np.array(part).T for part in zip(*times, strict=True))
    group = _groups(instance.work(), groups)
    return Relaxation(
        np.array([hold[jobs].min(axis=0) for jobs in group]),
        np.array([alone[jobs].min(axis=0) for jobs in group]),
        (alone - hold).min(axis=0),
        np.array([len(jobs) for jobs in group]),
        np.array([len(nodes) for nodes in classes]),
    )


def _times(instance: Instance, nodes: Array) -> tuple[Array, Array]:
    """Return the least hold and the least end of every job on these nodes, float64[J] each, s."""
    starts, size = instance.first[:-1], instance.size[instance.inputs]
    run_s = instance.work() / instance.speed[nodes].max()
    local = (1.0 / instance.local_bandwidth[:, nodes]).min(axis=1)
    whole = (1.0 / instance.remote_bandwidth + local).min(axis=1)
    longest = np.maximum.reduceat(size, starts) * local.min()
    last = np.maximum.reduceat(size * whole[instance.source[instance.inputs]], starts)
    return longest + run_s, last + run_s


def _classes(speed: Array) -> list[Array]:
    """Return the nodes of each class: nodes of one speed, or of near ones."""
    values = np.unique(speed)
    order = np.argsort(speed, kind="stable")
    if len(values) > MOST_CLASSES:
        return np.array_split(order, MOST_CLASSES)
    return [np.flatnonzero(speed == value) for value in values]


def _groups(work: Array, most: int) -> list[Array]:
    """Return the jobs of each group: single jobs, or jobs of near work."""
    return np.array_split(np.argsort(work, kind="stable"), min(len(work), most))


def simple_bound(relaxed: Relaxation) -> float:
    """Return the larger of the longest job on its best node and the mean load of the nodes, s.

    Classes are weighted by one over their mean hold, so that the least hold of a job counts.
    """
    weight = 1.0 / relaxed.hold.mean(axis=0)
    load = float((relaxed.hold * weight).min(axis=1) @ relaxed.jobs / (weight @ relaxed.nodes))
    return max(float(relaxed.alone.min(axis=1).max()), load)
