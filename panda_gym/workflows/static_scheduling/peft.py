"""PEFT: predict earliest finish time (Arabnejad and Barbosa 2014)."""

from __future__ import annotations

import numpy as np

from panda_gym.workflows.static_scheduling.problem import SchedulingProblem
from panda_gym.workflows.static_scheduling.ready_list import by_priority
from panda_gym.workflows.static_scheduling.schedule import Schedule, ScheduleBuilder

Array = np.ndarray


def peft(problem: SchedulingProblem) -> Schedule:
    """Schedule ready sets by mean optimistic cost, where finish plus optimistic cost is least.

    The optimistic cost is the least remaining time if every later task runs on its best processor.
    """
    table = optimistic_cost(problem)
    fits = np.isfinite(problem.cost)
    rank = np.where(fits, table, 0.0).sum(axis=1) / fits.sum(axis=1)
    builder = ScheduleBuilder(problem)
    for s in by_priority(problem, rank):
        builder.place_set(s, table[s])
    return builder.schedule()


def optimistic_cost(problem: SchedulingProblem) -> Array:
    """Return the optimistic cost table, float64[n, P], s.

    Entry (s, p) is the longest over the children c of the least over processors w of
    table[c, w] + cost[c, w], plus the mean transfer time unless w is p.
    """
    table = np.zeros(problem.cost.shape)
    children, transfer = problem.children, problem.mean_transfer
    apart = 1.0 - np.eye(problem.processors)
    for s in problem.order[::-1].tolist():
        for k in range(children.first[s], children.first[s + 1]):
            child, edge = children.node[k], children.edge[k]
            after = (table[child] + problem.cost[child])[None, :] + transfer[edge] * apart
            table[s] = np.maximum(table[s], after.min(axis=1))
    return table
