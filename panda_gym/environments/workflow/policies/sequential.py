"""One stage after the other: what the asynchronous policies are measured against."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.base import (
    WorkflowPolicy,
    actions_of,
    earliest_finish,
)


class Sequential(WorkflowPolicy):
    """Places sets of the first unfinished stage only, and holds otherwise."""

    def choose(self, view: WorkflowView, rng: np.random.Generator) -> np.ndarray:
        due = np.abs(view.set("order") - view.graph("stage")) < 1e-6
        allowed = due & (view.set("present") > 0.0)
        return actions_of(view, allowed, np.zeros(allowed.shape), earliest_finish(view))
