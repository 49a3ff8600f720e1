"""Place jobs by PanDA's current brokerage of analysis jobs."""

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
from panda_gym.environments.placement.policies.panda_analysis_original import disk_factor
from panda_gym.environments.placement.policies.settings import positive


@dataclass(frozen=True)
class PandaAnalysis(SamplingAmongBest):
    """W = Ws x Wq / (nThrottled + 1) x data factor, one of the best ten drawn by weight.

    Wq = (maxq - nQ - Nj / Npq) / (sum(maxq - nQ) - Nj) over the Npq candidate sites, nQ the jobs
    queued at a site, maxq the largest nQ, Nj the jobs to place. The data factor is
    1 + diskGB / 10, as where locality is not enforced.

    NOTE[DIFF] Ws (class of the site x class of the task) is 1: an observation holds neither
    class. nThrottled is 0. Nj is 1: jobs are placed one by one. A Wq below 0 counts as 0; where
    the queues differ by at most Nj jobs in all, the denominator is not positive and all sites
    weigh the same.

    constant_scale: counts are divided by it, so that Nj means what it does at full size.
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
        out = filtered(view, self.bad_share, self.most_transferring, self.constant_scale)
        weight = queue_weight(queued, view.mask & ~out) * disk_factor(view)
        return np.where(out, 0.0, weight)


def queue_weight(queued: np.ndarray, mask: np.ndarray, jobs: float = 1.0) -> np.ndarray:
    """Return Wq of every site among the legal ones, float64[E, S]; illegal sites get 0."""
    longest = np.where(mask, queued, 0.0).max(axis=1, keepdims=True)
    room = np.where(mask, longest - queued, 0.0)
    candidates = mask.sum(axis=1, keepdims=True)
    total = room.sum(axis=1, keepdims=True) - jobs
    weight = np.maximum(room - jobs / candidates, 0.0) / np.where(total > 0.0, total, 1.0)
    return np.where(mask, np.where(total > 0.0, weight, 1.0 / candidates), 0.0)
