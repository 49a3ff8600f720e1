"""Place the job where the load per slot and power is least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking


@dataclass(frozen=True)
class LeastLoaded(Ranking):
    """Load = (cores in use + cores that the queue and this job need) / (cores x power).

    Cores in use are cores less the free ones of the counters, so competing load is counted as
    far as the counters show it. A queued job is taken to need as many cores as this one.
    """

    def score(self, view: PlacementView) -> np.ndarray:
        cores = np.maximum(view.site("cores"), 1.0)
        queued = view.site("activated") + view.site("assigned") + 1.0
        load = cores - view.site("free_cores") + queued * view.job("cores")
        return -load / (cores * np.maximum(view.site("power"), 1e-9))
