"""Whether a run pays, and where: the rule of the policy `improvement` and of ranked views."""

from __future__ import annotations

from typing import Final

import numpy as np

from panda_gym.environments.pipeline.observation import PipelineView

Array = np.ndarray

HORIZON_H: Final = 48.0
"""Hours over which a gain is expected to be worth something (our default, not tuned)."""


def backlog(view: PipelineView) -> Array:
    """Tasks that wait or run at a place over its slots and speed, float64[E, P]."""
    slots = np.maximum(view.place("slots"), 1.0)
    at_work = view.place("queued") + (1.0 - view.place("free")) * slots
    return at_work / (slots * np.maximum(view.place("speed"), 1e-6))


def hourly_price(view: PipelineView) -> Array:
    """Price of an hour of training on a slot of speed 1, float64[E, P]."""
    return view.place("price") / np.maximum(view.place("speed"), 1e-6)


def place_cost(view: PipelineView) -> Array:
    """Price and half the work at hand of every place, float64[E, P]; the least is the best."""
    return hourly_price(view) + 0.5 * backlog(view)


def gain_rate(view: PipelineView) -> Array:
    """Weighted expected gain of a run per hour of training, float64[E, M]."""
    return view.model("weight") * view.model("potential") / _train(view)


def pays(view: PipelineView) -> Array:
    """Whether a run's gain over HORIZON_H hours exceeds its price at the best place, bool[E, M]."""
    place = np.argmin(place_cost(view), axis=1)
    rate = np.take_along_axis(hourly_price(view), place[:, None], axis=1)
    gain = view.model("weight") * view.model("potential")
    return gain * HORIZON_H > _train(view) * rate


def _train(view: PipelineView) -> Array:
    return np.maximum(view.model("train"), 1e-3)
