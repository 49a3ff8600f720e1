"""Place jobs at random: any legal site, each with equal probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Sampling


@dataclass(frozen=True)
class Random(Sampling):
    """Uniform over the mask: the least that every policy must beat."""

    def weight(self, view: PlacementView) -> np.ndarray:
        return np.ones(view.mask.shape)
