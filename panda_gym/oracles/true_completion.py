"""The greedy oracle: earliest completion by true workload, each job on its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.oracles.base import Oracle, one_at_a_time
from panda_gym.oracles.context import OracleContext
from panda_gym.oracles.greedy import earliest_site
from panda_gym.oracles.planner import completions

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch


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
        assert self.context is not None, "reset before choose"
        sites = np.zeros(len(batch), np.int64)
        for e in np.flatnonzero(~batch.simulator.done).tolist():
            sites[e] = earliest_site(self.context.table, self.context.forecast, e)
        return sites

    def ends(self, batch: PlacementBatch) -> np.ndarray:
        """When the pending job would end at each site, float64[E, S], s; inf: never.

        `choose` names the first of the least of them without this walk of every queue.
        """
        assert self.context is not None, "reset before choose"
        found = np.full((len(batch), len(batch.platform)), np.inf)
        for e in np.flatnonzero(~batch.simulator.done).tolist():
            completions(self.context.table, self.context.forecast, e, found[e])
        return found
