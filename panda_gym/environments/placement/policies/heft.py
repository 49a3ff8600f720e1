"""The upward rank of HEFT over the jobs of a turn; knows predictions, never dependencies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.environments.placement.policies.turn import Planner, Turn, in_order


@dataclass(frozen=True)
class Heft(Planner):
    """Heterogeneous earliest finish time (Topcuoglu, Hariri and Wu 2002).

    Jobs in order of falling rank, each to its earliest completion. The jobs of a turn do not depend
    on each other, so the rank of one is its mean run time over the sites where it may go.

    NOTE[DIFF]: without insertion; a site's line is first in, first out.
    """

    def assign(self, turn: Turn) -> np.ndarray:
        rank = np.where(turn.mask, turn.run, 0.0).sum(axis=1) / turn.mask.sum(axis=1)
        return in_order(turn, np.argsort(-rank, kind="stable"))
