"""HEFT: heterogeneous earliest finish time, with insertion (Topcuoglu, Hariri and Wu 2002)."""

from __future__ import annotations

import numpy as np

from panda_gym.workflows import graph
from panda_gym.workflows.static_scheduling.problem import SchedulingProblem
from panda_gym.workflows.static_scheduling.schedule import Schedule, ScheduleBuilder

Array = np.ndarray


def heft(problem: SchedulingProblem) -> Schedule:
    """Schedule tasks by decreasing upward rank, each where it finishes earliest.

    The upward rank takes mean run times and mean transfer times. A task may start in an idle gap
    between two tasks already placed.
    """
    builder = ScheduleBuilder(problem)
    for s in by_rank(problem, upward_rank(problem)):
        builder.place_set(s)
    return builder.schedule()


def upward_rank(problem: SchedulingProblem) -> Array:
    """Return the upward rank of every set, float64[n], s."""
    return graph.upward_rank(
        problem.children, problem.order, problem.mean_cost, problem.mean_transfer
    )


def by_rank(problem: SchedulingProblem, rank: Array) -> list[int]:
    """Return the sets by decreasing rank; ties in topological order, so that parents precede.

    Ranks that differ by rounding only are ties.
    """
    place = np.empty(len(problem), dtype=np.int64)
    place[problem.order] = np.arange(len(problem))
    rounded = np.round(rank / max(float(rank.max()), 1e-300), 12)
    order: list[int] = np.lexsort((place, -rounded)).tolist()
    return order
