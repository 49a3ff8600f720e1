"""A uniformly random placement, the reference of every comparison."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.workflow.observation import WorkflowView
from panda_gym.environments.workflow.policies.base import WorkflowPolicy


class Random(WorkflowPolicy):
    """Draws a legal placement uniformly; holds only where nothing else is legal."""

    def choose(self, view: WorkflowView, rng: np.random.Generator) -> np.ndarray:
        mask = view.mask.copy()
        mask[:, -1] &= ~mask[:, :-1].any(axis=1)
        draw = rng.random(mask.shape)
        return np.argmax(np.where(mask, draw, -1.0), axis=1)
