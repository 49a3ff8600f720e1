"""Place the job where the fewest jobs wait per slot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking


@dataclass(frozen=True)
class LeastQueuedPerSlot(Ranking):
    """Fewest jobs assigned or activated for each core of the site, this job counted.

    The job itself is counted, so that among empty queues the larger site leads.
    """

    def score(self, view: PlacementView) -> np.ndarray:
        queued = view.site("activated") + view.site("assigned")
        return -(queued + 1.0) / np.maximum(view.site("cores"), 1.0)
