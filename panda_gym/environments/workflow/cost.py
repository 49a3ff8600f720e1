"""Costs of `PandaGrid/Workflow-v0`: functions of what was counted.

Each takes the counters of E executions (`STEP_COUNTERS` of `panda_gym.workflows.decisions`) and
returns float64[E], to be kept small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

Array = np.ndarray
Cost = Callable[[Array], Array]


def illegal(counters: Array) -> Array:
    """Number of illegal actions so far in the episode."""
    return counters["illegal"].astype(np.float64)


COSTS: Final[Mapping[str, Cost]] = {"illegal": illegal}
"""Costs by name."""
