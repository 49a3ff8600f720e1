"""Rewards of `PandaGrid/Pipelines-v0`: functions of what one step did.

Each takes quality hours (weighted time integral of the models' performance) and the cost of the
tasks that were started in the step, float64[E] each. It returns float64[E].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
Reward = Callable[[Array, Array], Array]


def net(quality: Array, cost: Array) -> Array:
    """Return quality hours minus cost."""
    return quality - cost


def quality(quality: Array, cost: Array) -> Array:
    """Return quality hours alone."""
    return quality.copy()


REWARDS: Final[Mapping[str, Reward]] = {"net": net, "quality": quality}
"""Rewards by name."""
