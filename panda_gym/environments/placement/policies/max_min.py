"""Max-min over the jobs of a turn: what completes last is placed first; knows predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.policies.turn import Planner, Turn, by_extreme


@dataclass(frozen=True)
class MaxMin(Planner):
    """Max-min (Ibarra and Kim 1977; Braun et al. 2001): the largest earliest completion first."""

    def assign(self, turn: Turn) -> np.ndarray:
        return by_extreme(turn, largest=True)
