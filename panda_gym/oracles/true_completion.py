"""The earliest completion by true workload: greedy, each job for itself; see `clairvoyant`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.oracles.base import Oracle, one_at_a_time
from panda_gym.oracles.context import Room
from panda_gym.oracles.planner import completions

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch

LATE = 1e15
"""A legal site whose end is not in sight is later than all that are, s."""


@dataclass
class TrueCompletion(Oracle):
    """Minimum completion time by true workloads, queues as they are and the load of others."""

    room: Room | None = field(default=None, init=False, repr=False, compare=False)

    def reset(self, batch: PlacementBatch) -> None:
        """Look at the episodes that have just begun."""
        one_at_a_time(batch)
        self.room = Room.of(batch)

    def choose(self, batch: PlacementBatch) -> np.ndarray:
        """Return a legal site for the job at hand of every grid, int64[E]."""
        ends = self.ends(batch)
        legal = batch.simulator.mask[:, : ends.shape[1]] > 0
        return np.where(legal, np.minimum(ends, LATE), np.inf).argmin(axis=1)

    def ends(self, batch: PlacementBatch) -> np.ndarray:
        """When the job at hand would end at every site, float64[E, S], s; inf: not in sight."""
        assert self.room is not None, "reset before choose"
        found = np.full((len(batch), len(batch.platform)), np.inf)
        for e in range(len(found)):
            completions(self.room.table, self.room.sketch, e, found[e])
        return found
