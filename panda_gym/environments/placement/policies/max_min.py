"""Max-min over the pending jobs: the job that completes last is placed first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.policies.pending import (
    JointPolicy,
    PendingDecisions,
    by_extreme,
)


@dataclass(frozen=True)
class MaxMin(JointPolicy):
    """Max-min (Ibarra and Kim 1977; Braun et al. 2001): the largest earliest completion first."""

    def assign(self, pending: PendingDecisions) -> np.ndarray:
        return by_extreme(pending, largest=True)
