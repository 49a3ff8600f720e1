"""Potential improvement against cost: also models that did not ask, and not all that did."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.pipeline.observation import PipelineView, backlog
from panda_gym.environments.pipeline.policies.base import PipelinePolicy, actions_of

HORIZON_H = 48.0
"""Hours over which a gain is expected to be worth something (our default, not tuned)."""


class Improvement(PipelinePolicy):
    """Runs the model of the most weighted gain per training hour, where it pays (ours).

    A run pays if its gain over HORIZON_H hours exceeds the price of its training at the chosen
    place: the one of least price and work at hand.
    """

    def choose(self, view: PipelineView, rng: np.random.Generator) -> np.ndarray:
        speed = np.maximum(view.place("speed"), 1e-6)
        place = np.argmin(view.place("price") / speed + 0.5 * backlog(view), axis=1)
        rate = np.take_along_axis(view.place("price") / speed, place[:, None], axis=1)
        train = np.maximum(view.model("train"), 1e-3)
        gain = view.model("weight") * view.model("potential")
        pays = gain * HORIZON_H > train * rate
        return actions_of(view, pays, gain / train, place)
