"""The upward rank of HEFT over the pending jobs, which do not depend on each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.policies.pending import (
    JointPolicy,
    PendingDecisions,
    in_order,
)


@dataclass(frozen=True)
class Heft(JointPolicy):
    """Heterogeneous earliest finish time (Topcuoglu, Hariri and Wu 2002).

    Jobs in order of falling rank, each to its earliest completion. Pending jobs do not depend
    on each other, so the rank of one is its mean run time over the sites where it may go.

    NOTE[DIFF]: without insertion; a site's line is first in, first out.
    """

    def assign(self, pending: PendingDecisions) -> np.ndarray:
        rank = np.where(pending.mask, pending.run, 0.0).sum(axis=1) / pending.mask.sum(axis=1)
        return in_order(pending, np.argsort(-rank, kind="stable"))
