"""Priorities of list scheduling by name; knows workflows, no machine state.

Each gives a number a set, lowest first; ties go by the time of readiness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from panda_gym.errors import WorkflowError, nearest
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray


def _fifo(flow: Workflow, cost: Array, rng: np.random.Generator) -> Array:
    return np.zeros(len(flow))


def _longest_first(flow: Workflow, cost: Array, rng: np.random.Generator) -> Array:
    return -flow.mean_s


def _shortest_first(flow: Workflow, cost: Array, rng: np.random.Generator) -> Array:
    return flow.mean_s.copy()


def _upward_rank(flow: Workflow, cost: Array, rng: np.random.Generator) -> Array:
    return -flow.rank(cost)


def _random(flow: Workflow, cost: Array, rng: np.random.Generator) -> Array:
    return rng.permutation(len(flow)).astype(np.float64)


PRIORITIES: Final[dict[str, Callable[[Workflow, Array, np.random.Generator], Array]]] = {
    "fifo": _fifo,
    "longest_first": _longest_first,
    "random": _random,
    "shortest_first": _shortest_first,
    "upward_rank": _upward_rank,
}
"""priority(workflow, cost[m] s of moving an edge's data, rng) -> float64[n]. `upward_rank` is
the order of HEFT (Topcuoglu et al. 2002) and, without data to move, the critical path rule."""


def priority(name: str, flow: Workflow, cost: Array, rng: np.random.Generator) -> Array:
    """Priority of every set by a rule's name; WorkflowError if there is none of that name."""
    if name not in PRIORITIES:
        raise WorkflowError("a priority rule", repr(name), nearest(str(name), PRIORITIES))
    return PRIORITIES[name](flow, cost, rng)
