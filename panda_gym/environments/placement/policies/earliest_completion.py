"""Place the job where its predicted completion is earliest, by the broker's own estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.environments.placement.policies.settings import at_least


@dataclass(frozen=True)
class EarliestCompletion(Ranking):
    """Minimum completion time (MCT of Braun et al. 2001): transfer + wait + run.

    Transfer and wait add up, because a job joins its site's queue only when its input is there;
    that the queue moves on meanwhile is not counted, nor are jobs that join it before.

    wait_weight: what a second of waiting counts beside a second of running (1: completion time).
    """

    wait_weight: float = 1.0

    def __post_init__(self) -> None:
        at_least("wait_weight", self.wait_weight, 0.0)

    def score(self, view: PlacementView) -> np.ndarray:
        start = view.site("transfer") + view.site("wait")
        return -(self.wait_weight * start + view.site("run"))
