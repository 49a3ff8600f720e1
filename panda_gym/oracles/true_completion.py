"""The earliest completion by true workload: greedy, each job for itself; see `clairvoyant`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.oracles.base import Oracle, one_at_a_time
from panda_gym.oracles.planner import completions, foresee
from panda_gym.oracles.sketch import Sketch, sketch

if TYPE_CHECKING:
    from panda_gym.batch import Batch

LATE = 1e15
"""A legal site whose end is not in sight is later than all that are, s."""


@dataclass
class TrueCompletion(Oracle):
    """Minimum completion time by true workloads, queues as they are and the load of others."""

    room: Sketch | None = field(default=None, init=False, repr=False, compare=False)

    def reset(self, batch: Batch) -> None:
        """Look at the episodes that have just begun."""
        one_at_a_time(batch)
        self.room = sketch(batch.simulator.world)
        foresee(batch.simulator.world, self.room)

    def choose(self, batch: Batch) -> np.ndarray:
        """Return a legal site for the job at hand of every grid, int64[E]."""
        ends = self.ends(batch)
        legal = batch.simulator.mask[:, : ends.shape[1]] > 0
        return np.where(legal, np.minimum(ends, LATE), np.inf).argmin(axis=1)

    def ends(self, batch: Batch) -> np.ndarray:
        """When the job at hand would end at every site, float64[E, S], s; inf: not in sight."""
        world, room = batch.simulator.world, self.room
        assert room is not None, "reset before choose"
        found = np.full((len(world.grids), len(world.places)), np.inf)
        for e in range(len(found)):
            completions(world, room, e, found[e])
        return found
