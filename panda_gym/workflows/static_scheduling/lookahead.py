"""HEFT with lookahead to the children (Bittencourt, Sakellariou and Madeira 2010)."""

from __future__ import annotations

import numpy as np

from panda_gym.workflows.static_scheduling.heft import by_rank, upward_rank
from panda_gym.workflows.static_scheduling.problem import SchedulingProblem
from panda_gym.workflows.static_scheduling.schedule import Schedule, ScheduleBuilder

Array = np.ndarray


def lookahead(problem: SchedulingProblem) -> Schedule:
    """Schedule by decreasing upward rank, each set where its children would finish earliest.

    For every processor the first task of a set is placed there tentatively, and its children are
    estimated from their parents placed so far. The processor of the least latest finish of a child
    is taken; a set without children goes where it finishes earliest. NOTE[DIFF] Further tasks of a
    set follow HEFT's rule, since their children wait for all of them.
    """
    builder = ScheduleBuilder(problem)
    for s in by_rank(problem, upward_rank(problem)):
        start, finish = builder.earliest(s, 0)
        best = int(np.lexsort((finish, _children_finish(builder, s, start)))[0])
        builder.place(s, 0, best, float(start[best]))
        builder.place_set(s, first=1)
    return builder.schedule()


def _children_finish(builder: ScheduleBuilder, s: int, start: Array) -> Array:
    """Return the latest finish of the children of a set by the processor of its first task."""
    children = builder.problem.children
    below = children.node[children.first[s] : children.first[s + 1]].tolist()
    found = np.where(np.isfinite(start), -np.inf, np.inf)
    for p in np.flatnonzero(np.isfinite(start)).tolist():
        saved = builder.try_place(s, 0, p, float(start[p]))
        for child in below:
            found[p] = max(found[p], float(builder.estimate(child).min()))
        builder.undo(s, 0, p, saved)
    return found
