"""Place jobs by PanDA's original brokerage of analysis jobs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.policies.base import SamplingAmongBest
from panda_gym.environments.placement.policies.brokerage_filters import (
    BAD_SHARE,
    MOST_TRANSFERRING,
    check_filters,
    filtered,
)
from panda_gym.environments.placement.policies.settings import positive


@dataclass(frozen=True)
class PandaAnalysisOriginal(SamplingAmongBest):
    """W = (nRunning + 1) / (nActivated + nAssigned + nStarting + nDefined + 1) x data factor.

    The data factor is 1 + diskGB / 10, diskGB the input's gigabytes on the site's disk, as where
    locality is not enforced. One of the best ten is drawn in proportion to W.

    NOTE[DIFF] terms that an observation does not hold: nStarting and nDefined are 0 (states that
    take no time here); nThrottled is 0 (no task is throttled); data on tape do not exist.

    constant_scale: counts are divided by it, so that the 1s mean what they do at full size.
    bad_share, most_transferring: see `brokerage_filters.filtered`.
    """

    constant_scale: float = 1.0
    bad_share: float = BAD_SHARE
    most_transferring: float = MOST_TRANSFERRING

    def __post_init__(self) -> None:
        positive("constant_scale", self.constant_scale)
        check_filters(self.bad_share, self.most_transferring)

    def weight(self, view: PlacementView) -> np.ndarray:
        """Return W of every site, float64[E, S]."""
        queued = (view.site("activated") + view.site("assigned")) / self.constant_scale
        running = view.site("running") / self.constant_scale
        weight = (running + 1.0) / (queued + 1.0) * disk_factor(view)
        out = filtered(view, self.bad_share, self.most_transferring, self.constant_scale)
        return np.where(out, 0.0, weight)


def disk_factor(view: PlacementView) -> np.ndarray:
    """1 + diskGB / 10: gigabytes of this job's input that the site already holds."""
    return 1.0 + view.site("local_share") * view.job("input_bytes") / 1e10
