"""PanDA's brokerage of production jobs as it runs: a weighted draw among the best ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import SamplingAmongBest
from panda_gym.environments.placement.policies.brokerage_filters import (
    BAD_SHARE,
    MOST_TRANSFERRING,
    check_filters,
)
from panda_gym.environments.placement.policies.production_weight import production_weight
from panda_gym.environments.placement.policies.settings import at_least, positive


@dataclass(frozen=True)
class PandaProductionDraw(SamplingAmongBest):
    """Sort by production weight, keep at most `keep`, draw one in proportion to the weight.

    NOTE[DIFF]: PanDA divides a drawn site's weight by its grown queue within one cycle of the
    broker; here every job sees counters that hold what was placed before it.

    constant_scale: see `PandaProduction`.
    keep: how many of the best sites take part in the draw.
    bad_share, most_transferring: see `brokerage_filters.filtered`.
    """

    constant_scale: float = 1.0
    keep: int = 10
    bad_share: float = BAD_SHARE
    most_transferring: float = MOST_TRANSFERRING

    def __post_init__(self) -> None:
        positive("constant_scale", self.constant_scale)
        check_filters(self.bad_share, self.most_transferring)
        at_least("keep", self.keep, 1)

    def weight(self, view: PlacementView) -> np.ndarray:
        return production_weight(view, self.constant_scale, self.bad_share, self.most_transferring)
