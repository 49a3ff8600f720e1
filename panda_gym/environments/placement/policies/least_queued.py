"""Place the job where the fewest jobs wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking


@dataclass(frozen=True)
class LeastQueued(Ranking):
    """Join the shortest queue: fewest jobs assigned or activated."""

    def score(self, view: PlacementView) -> np.ndarray:
        return -(view.site("activated") + view.site("assigned"))
