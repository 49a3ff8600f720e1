"""Place the job on the fastest cores, however long the queue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking


@dataclass(frozen=True)
class Fastest(Ranking):
    """Minimum execution time (MET of Braun et al., J. Parallel Distrib. Comput. 61, 2001)."""

    def score(self, view: PlacementView) -> np.ndarray:
        return view.site("power")
