"""Rewards of `PandaGrid/Pipelines-v0`: functions of what one step did.

Each takes float64[E]: quality hours (weighted time integral of the models' performance), the price
of the tasks that were started in the step, and the quality hours at performance 1; and the sum of
the models' weights. It returns float64[E].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
Reward = Callable[[Array, Array, Array, float], Array]


def lost(quality: Array, price: Array, most: Array, weight: float) -> Array:
    """Return minus the quality hours lost against performance 1 and minus the price, over weight.

    An episode's return is that of `net` minus a constant, over the sum of the weights.
    """
    return (quality - most - price) / weight


def net(quality: Array, price: Array, most: Array, weight: float) -> Array:
    """Return quality hours minus price."""
    return quality - price


def quality(quality: Array, price: Array, most: Array, weight: float) -> Array:
    """Return quality hours alone."""
    return quality.copy()


REWARDS: Final[Mapping[str, Reward]] = {"lost": lost, "net": net, "quality": quality}
"""Rewards by name."""
