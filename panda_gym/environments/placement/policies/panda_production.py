"""Place jobs by PanDA's brokerage of production jobs; the largest weight wins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.environments.placement.policies.brokerage_filters import (
    BAD_SHARE,
    MOST_TRANSFERRING,
    check_filters,
)
from panda_gym.environments.placement.policies.production_weight import production_weight
from panda_gym.environments.placement.policies.settings import positive


@dataclass(frozen=True)
class PandaProduction(Ranking):
    """The legal site of the highest production weight (`production_weight`).

    NOTE[DIFF]: PanDA draws among the best ten (policy `panda_production_draw`).

    constant_scale: scale of the platform on which PanDA's absolute constants are to mean the
        same; 1 keeps 10 and 20 as they are.
    bad_share, most_transferring: see `brokerage_filters.filtered`.
    """

    constant_scale: float = 1.0
    bad_share: float = BAD_SHARE
    most_transferring: float = MOST_TRANSFERRING

    def __post_init__(self) -> None:
        positive("constant_scale", self.constant_scale)
        check_filters(self.bad_share, self.most_transferring)

    def score(self, view: PlacementView) -> np.ndarray:
        return production_weight(view, self.constant_scale, self.bad_share, self.most_transferring)
