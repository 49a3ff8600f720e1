"""The greedy oracle: earliest completion by true workload, each job on its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.oracles.base import Oracle, one_at_a_time
from panda_gym.oracles.context import OracleContext
from panda_gym.oracles.planner import completions

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch

LATE = 1e15
"""Stand-in for an end that cannot be forecast at a legal site: later than all others, s."""


@dataclass
class TrueCompletion(Oracle):
    """Minimum completion time by true workloads, present queues and competing load."""

    context: OracleContext | None = field(default=None, init=False, repr=False, compare=False)

    def reset(self, batch: PlacementBatch) -> None:
        """Forecast the competing load of the episodes that have just begun."""
        one_at_a_time(batch)
        self.context = OracleContext.of(batch)

    def choose(self, batch: PlacementBatch) -> np.ndarray:
        """Return a legal site for the pending job of every grid, int64[E]."""
        ends = self.ends(batch)
        legal = batch.simulator.mask[:, : ends.shape[1]] > 0
        return np.where(legal, np.minimum(ends, LATE), np.inf).argmin(axis=1)

    def ends(self, batch: PlacementBatch) -> np.ndarray:
        """When the pending job would end at each site, float64[E, S], s; inf: not forecast."""
        assert self.context is not None, "reset before choose"
        found = np.full((len(batch), len(batch.platform)), np.inf)
        for e in np.flatnonzero(~batch.simulator.done).tolist():
            completions(self.context.table, self.context.forecast, e, found[e])
        return found
