"""Place jobs at random, in proportion to cores times power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Sampling


@dataclass(frozen=True)
class CapacityRandom(Sampling):
    """Weight = cores x power: every site is offered the same load, blindly."""

    def weight(self, view: PlacementView) -> np.ndarray:
        return view.site("cores") * view.site("power")
