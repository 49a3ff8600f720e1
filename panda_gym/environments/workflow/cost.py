"""Costs of `PandaGrid/Workflow-v0`: functions of what one step did.

Each takes whether the action was illegal, int64[E], and returns float64[E], to be kept small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
Cost = Callable[[Array], Array]


def illegal_action(illegal: Array) -> Array:
    """1 where the action was masked or out of range, and the first legal one was taken."""
    return illegal.astype(np.float64)


COSTS: Final[Mapping[str, Cost]] = {"illegal_action": illegal_action}
"""Costs by name."""
