"""A uniformly random decision, the reference of every comparison."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.pipeline.observation import PipelineView
from panda_gym.environments.pipeline.policies.base import PipelinePolicy, actions_of


class Random(PipelinePolicy):
    """With even odds defers or runs a model that asked, at a place drawn uniformly."""

    def choose(self, view: PipelineView, rng: np.random.Generator) -> np.ndarray:
        asked = (view.model("asked") > 0.5) & (rng.random((len(view), 1)) < 0.5)
        place = rng.integers(view.places, size=len(view))
        return actions_of(view, asked, rng.random(asked.shape), place)
