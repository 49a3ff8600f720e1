"""Iteration over task sets by rules that choose among ready sets: all parents are placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from panda_gym.workflows.static_scheduling.problem import SchedulingProblem

Array = np.ndarray


def by_priority(problem: SchedulingProblem, priority: Array) -> Iterator[int]:
    """Yield all sets, always the ready one of highest priority; ties go to the first set."""
    return by_choice(problem, lambda ready: max(ready, key=lambda s: (priority[s], -s)))


def by_choice(problem: SchedulingProblem, choose: Callable[[list[int]], int]) -> Iterator[int]:
    """Yield all sets, always the ready one that `choose` returns of the ready ones."""
    pending = np.bincount(problem.edges[:, 1], minlength=len(problem))
    ready = np.flatnonzero(pending == 0).tolist()
    children = problem.children
    while ready:
        s = choose(ready)
        ready.remove(s)
        yield s
        for child in children.node[children.first[s] : children.first[s + 1]].tolist():
            pending[child] -= 1
            if pending[child] == 0:
                ready.append(child)
