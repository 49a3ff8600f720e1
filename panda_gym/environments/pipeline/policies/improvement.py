"""Potential improvement against cost: also models that did not ask, and not all that did."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.pipeline.observation import PipelineView
from panda_gym.environments.pipeline.policies.base import PipelinePolicy, actions_of
from panda_gym.environments.pipeline.worth import gain_rate, pays, place_cost


class Improvement(PipelinePolicy):
    """Runs the model of the most weighted gain per training hour, where it pays (ours).

    A run pays if its gain over 48 hours exceeds the price of its training at the chosen place: the
    one of least price and work at hand.
    """

    def choose(self, view: PipelineView, rng: np.random.Generator) -> np.ndarray:
        place = np.argmin(place_cost(view), axis=1)
        return actions_of(view, pays(view), gain_rate(view), place)
