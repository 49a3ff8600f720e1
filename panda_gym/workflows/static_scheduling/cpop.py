"""CPOP: critical path on a processor (Topcuoglu, Hariri and Wu 2002)."""

from __future__ import annotations

import numpy as np

from panda_gym.workflows import graph
from panda_gym.workflows.static_scheduling.heft import upward_rank
from panda_gym.workflows.static_scheduling.problem import SchedulingProblem
from panda_gym.workflows.static_scheduling.ready_list import by_priority
from panda_gym.workflows.static_scheduling.schedule import Schedule, ScheduleBuilder

Array = np.ndarray


def cpop(problem: SchedulingProblem) -> Schedule:
    """Schedule the critical path on the processor that runs it fastest, other tasks by HEFT's rule.

    The priority of a ready set is its upward plus its downward rank. NOTE[DIFF] The tasks of a set
    of the path that does not fit on that processor at once are placed where they finish earliest.
    """
    priority = upward_rank(problem) + downward_rank(problem)
    path = critical_path(problem, priority)
    total = problem.cost[path].sum(axis=0)
    if not np.isfinite(total).any():
        total = np.where(np.isfinite(problem.cost[path]), problem.cost[path], 0.0).sum(axis=0)
    fastest = int(np.argmin(total))
    builder = ScheduleBuilder(problem)
    for s in by_priority(problem, priority):
        held = problem.need[s] * problem.tasks[s]
        fixed = s in path and (held <= problem.capacity[fastest]).all()
        penalty = np.where(np.arange(problem.processors) == fastest, 0.0, np.inf)
        builder.place_set(s, penalty if fixed else None)
    return builder.schedule()


def downward_rank(problem: SchedulingProblem) -> Array:
    """Return the downward rank of every set, float64[n], s: the longest path to its start."""
    rank = np.zeros(len(problem))
    children, cost, transfer = problem.children, problem.mean_cost, problem.mean_transfer
    for s in problem.order.tolist():
        for k in range(children.first[s], children.first[s + 1]):
            child, edge = children.node[k], children.edge[k]
            rank[child] = max(rank[child], rank[s] + cost[s] + transfer[edge])
    return rank


def critical_path(problem: SchedulingProblem, priority: Array) -> list[int]:
    """Return the sets of a critical path: from the best root along children of its priority."""
    roots = np.flatnonzero(np.diff(problem.parents.first) == 0)
    path = [int(roots[np.argmax(priority[roots])])]
    children: graph.Adjacency = problem.children
    while children.first[path[-1]] < children.first[path[-1] + 1]:
        below = children.node[children.first[path[-1]] : children.first[path[-1] + 1]]
        path.append(int(below[np.argmax(priority[below])]))
    return path
