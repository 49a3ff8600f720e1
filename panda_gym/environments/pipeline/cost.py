"""Costs of `PandaGrid/Pipelines-v0`: functions of what one step did.

Each takes the price of the tasks that were started and whether the action was illegal, arrays [E],
and returns float64[E], to be kept small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
Cost = Callable[[Array, Array], Array]


def compute(price: Array, illegal: Array) -> Array:
    """Price of the tasks that were started in the step."""
    return price.copy()


def illegal_action(price: Array, illegal: Array) -> Array:
    """1 where the action was masked or out of range, and nothing was started."""
    return illegal.astype(np.float64)


COSTS: Final[Mapping[str, Cost]] = {"compute": compute, "illegal_action": illegal_action}
"""Costs by name."""
