"""The clairvoyant planner: what could be had if workloads, queues and others' load were known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.errors import PolicyError
from panda_gym.oracles.base import Oracle, one_at_a_time
from panda_gym.oracles.context import Room
from panda_gym.oracles.planner import plan

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch


@dataclass
class Clairvoyant(Oracle):
    """Plans the next jobs together and places the first; the plan is mended at every decision.

    It knows true workloads, the queues as they are, the load of others and the jobs to come, and
    no luck (see `sketch`). It minimises the sum of ln bounded slowdowns. What it reaches is the
    bound that a benchmark compares with: better is possible in principle, as local search in a
    model of the queues is no proof, and a policy that beats it shows that.

    window: jobs planned together, the one at hand included.
    every: decisions between two plans of the whole window.
    sweeps: visits of each job in such a plan, at most.
    wide: sites that are tried for a job.
    """

    window: int = 2000
    every: int = 50
    sweeps: int = 3
    wide: int = 10
    room: Room | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("window", "every", "sweeps", "wide"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise PolicyError(f"a whole number {name} >= 1", repr(value), f"pass {name}=8")

    def reset(self, batch: PlacementBatch) -> None:
        """Look at the episodes that have just begun."""
        one_at_a_time(batch)
        self.room = Room.of(batch)

    def choose(self, batch: PlacementBatch) -> np.ndarray:
        """Return a legal site for the job at hand of every grid, int64[E]."""
        whole = batch.simulator.world.grids["decided"] % self.every == 0
        return np.array([self._plan(e, bool(whole[e])) for e in range(len(whole))])

    def _plan(self, e: int, whole: bool) -> int:
        """The site for the job at hand of grid e; the whole window is planned, or that job."""
        assert self.room is not None, "reset before choose"
        table, sketch = self.room.table, self.room.sketch
        focus, sweeps = (self.window, self.sweeps) if whole else (1, 1)
        return int(plan(table, sketch, e, self.window, focus, sweeps, self.wide))
