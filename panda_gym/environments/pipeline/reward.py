"""Rewards of `PandaGrid/Pipelines-v0`: functions of what one step did.

Each takes float64[E]: quality hours (weighted time integral of the models' performance), the price
of the tasks that were started in the step, and the quality hours at performance 1; the sum of the
models' weights; and, float64[E], by how much the forecast of quality hours changed. It returns
float64[E].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
Reward = Callable[[Array, Array, Array, float, Array], Array]

FORECAST_H: Final = 48.0
"""Hours of the forecast that `shaped` credits a run with (ours)."""
LEVEL: Final = 0.85
"""Performance, price included, at which `shaped` is about 0: what fleets reach at the default."""


def lost(quality: Array, price: Array, most: Array, weight: float, forecast: Array) -> Array:
    """Return minus the quality hours lost against performance 1 and minus the price, over weight.

    An episode's return is that of `net` minus a constant, over the sum of the weights.
    """
    return (quality - most - price) / weight


def net(quality: Array, price: Array, most: Array, weight: float, forecast: Array) -> Array:
    """Return quality hours minus price."""
    return quality - price


def quality(quality: Array, price: Array, most: Array, weight: float, forecast: Array) -> Array:
    """Return quality hours alone."""
    return quality.copy()


def shaped(quality: Array, price: Array, most: Array, weight: float, forecast: Array) -> Array:
    """Return `lost` against performance 0.85, with the expected gain of a run paid when it begins.

    A potential-based shaping (Ng, Harada and Russell, ICML 1999). The potential is the quality
    hours of the next 48 hours, or of those left, at today's performance and with what runs now.
    """
    return (quality - LEVEL * most - price + forecast) / weight


REWARDS: Final[Mapping[str, Reward]] = {
    "lost": lost,
    "net": net,
    "quality": quality,
    "shaped": shaped,
}
"""Rewards by name."""
