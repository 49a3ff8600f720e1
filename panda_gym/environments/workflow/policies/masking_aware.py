"""Masking of execution times: short sets run beneath long ones, not in front of them."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.base import (
    WorkflowPolicy,
    actions_of,
    earliest_finish,
)


class MaskingAware(WorkflowPolicy):
    """Keeps the longest chain running and hides the others beneath it (ours).

    The ready set of the highest upward rank (the mask) comes first. While it waits for room, a
    set that needs a resource the mask is short of is held back, unless it ends before a running
    task gives room back, or has no slack left to be hidden in.
    """

    def choose(self, view: WorkflowView, rng: np.random.Generator) -> np.ndarray:
        present = view.set("present") > 0.0
        rank = np.where(present, view.set("rank"), -np.inf)
        head = np.argmax(rank, axis=1)[:, None]
        waits = ~np.take_along_axis(view.legal.any(axis=2), head, axis=1)
        gpus = view.set("gpus") > 0.0
        rivals = gpus == np.take_along_axis(gpus, head, axis=1)
        duration, slack = view.set("duration"), view.set("slack")
        harmless = (duration <= view.graph("next_event")) | (slack < duration)
        allowed = present & (~waits | ~rivals | harmless)
        return actions_of(view, allowed, rank, earliest_finish(view))
