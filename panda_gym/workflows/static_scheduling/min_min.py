"""Min-Min and Max-Min over ready sets (Ibarra and Kim 1977; Maheswaran et al. 1999)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from panda_gym.workflows.static_scheduling.problem import SchedulingProblem
from panda_gym.workflows.static_scheduling.ready_list import by_choice
from panda_gym.workflows.static_scheduling.schedule import Schedule, ScheduleBuilder

Pick = Callable[[Iterable[tuple[float, int]]], tuple[float, int]]
"""Choice among (earliest finish, set)."""


def min_min(problem: SchedulingProblem) -> Schedule:
    """Schedule the ready set whose next task finishes earliest, where it finishes earliest."""
    return _by_finish(problem, min)


def max_min(problem: SchedulingProblem) -> Schedule:
    """Schedule the ready set whose next task finishes latest at its best processor, there."""
    return _by_finish(problem, max)


def _by_finish(problem: SchedulingProblem, pick: Pick) -> Schedule:
    builder = ScheduleBuilder(problem)

    def choose(ready: list[int]) -> int:
        return pick((float(builder.earliest(s, 0)[1].min()), s) for s in ready)[1]

    for s in by_choice(problem, choose):
        builder.place_set(s)
    return builder.schedule()
