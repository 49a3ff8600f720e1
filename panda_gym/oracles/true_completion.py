"""The earliest completion by true workload: greedy, each job for itself; see `clairvoyant`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.oracles.base import Oracle
from panda_gym.oracles.planner import foresee, soonest
from panda_gym.oracles.sketch import Sketch, sketch

if TYPE_CHECKING:
    from panda_gym.batch import Batch


@dataclass
class TrueCompletion(Oracle):
    """Minimum completion time by true workloads, queues as they are and the load of others."""

    room: Sketch | None = field(default=None, init=False, repr=False, compare=False)

    def reset(self, batch: Batch) -> None:
        """Look at the episodes that have just begun."""
        self.room = sketch(batch.simulator.world)
        foresee(batch.simulator.world, self.room)

    def choose(self, batch: Batch) -> np.ndarray:
        """Return a legal site for the job at hand of every grid, int64[E]."""
        world, room = batch.simulator.world, self.room
        assert room is not None, "reset before choose"
        return np.array([soonest(world, room, e) for e in range(len(world.grids))])
