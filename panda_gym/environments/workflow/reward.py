"""Rewards of `PandaGrid/Workflow-v0`: functions of what one step did.

Each takes what a step counted in E executions (`STEP_COUNTERS` of `panda_gym.workflows.decisions`)
and the references of their workflows: sequential time `t_seq` in s, all work in core s. Each
returns float64[E].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
Reward = Callable[[Array, Array], Array]


def makespan(counters: Array, reference: Array) -> Array:
    """Return minus the time of the step over t_seq: an episode's return is -makespan / t_seq."""
    return -counters["elapsed"] / reference["t_seq"]


def work(counters: Array, reference: Array) -> Array:
    """Return minus the time integral of unfinished work over (all work x t_seq)."""
    return -counters["area"] / (reference["work"] * reference["t_seq"])


REWARDS: Final[Mapping[str, Reward]] = {"makespan": makespan, "work": work}
"""Rewards by name."""
