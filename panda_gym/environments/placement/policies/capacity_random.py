"""Random in proportion to what a site can do; knows cores and power alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import View
from panda_gym.environments.placement.policies.base import Drawing


@dataclass(frozen=True)
class CapacityRandom(Drawing):
    """Weight = cores x power: every site is offered the same load, blindly."""

    def weight(self, view: View) -> np.ndarray:
        return view.site("cores") * view.site("power")
