"""Static priorities of online list scheduling by name: one number a set, lowest first.

Ties are broken by the time of readiness.
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
"""Rule by name: `priority(workflow, cost, rng)` returns float64[n].

`cost` is float64[m], s, of transferring an edge's data. `upward_rank` is the order of HEFT
(Topcuoglu et al. 2002) and, without transfers, the critical path rule.
"""


def priority(name: str, flow: Workflow, cost: Array, rng: np.random.Generator) -> Array:
    """Return the priority of every set, float64[n]; WorkflowError if the rule is unknown."""
    if name not in PRIORITIES:
        raise WorkflowError("a priority rule", repr(name), nearest(str(name), PRIORITIES))
    return PRIORITIES[name](flow, cost, rng)
