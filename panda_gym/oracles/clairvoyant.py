"""The clairvoyant planner: what could be had if workloads, queues and others' load were known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.errors import PolicyError
from panda_gym.oracles.base import Oracle
from panda_gym.oracles.planner import foresee, plan
from panda_gym.oracles.sketch import Sketch, sketch

if TYPE_CHECKING:
    from panda_gym.batch import Batch


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

    window: int = 400
    every: int = 25
    sweeps: int = 3
    wide: int = 8
    room: Sketch | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("window", "every", "sweeps", "wide"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise PolicyError(f"a whole number {name} >= 1", repr(value), f"pass {name}=8")

    def reset(self, batch: Batch) -> None:
        """Look at the episodes that have just begun."""
        if batch.scenario.decisions > 1 or batch.scenario.data_actions:
            raise PolicyError(
                "one decision at a time", "several", "drop decisions= and data_actions="
            )
        self.room = sketch(batch.simulator.world)
        foresee(batch.simulator.world, self.room)

    def choose(self, batch: Batch) -> np.ndarray:
        """Return a legal site for the job at hand of every grid, int64[E]."""
        world, room = batch.simulator.world, self.room
        assert room is not None, "reset before choose"
        whole = world.grids["decided"] % self.every == 0
        return np.array(
            [
                plan(
                    world,
                    room,
                    e,
                    self.window,
                    self.window if whole[e] else 1,
                    self.sweeps if whole[e] else 1,
                    self.wide,
                )
                for e in range(len(world.grids))
            ]
        )
