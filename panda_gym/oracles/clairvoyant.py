"""The clairvoyant planner: plans with true workloads, queues and competing load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from panda_gym.errors import PolicyError
from panda_gym.oracles.base import Oracle, one_at_a_time
from panda_gym.oracles.context import OracleContext
from panda_gym.oracles.planner import plan

if TYPE_CHECKING:
    from panda_gym.environments.placement.batch import PlacementBatch


@dataclass
class Clairvoyant(Oracle):
    """Plans the next jobs together and places the first; every decision improves the plan.

    It reads true workloads, present queues, the competing load and the jobs to come, but no draws
    of failures, outages or cancellations (see `forecast`). It minimises the sum of ln bounded
    slowdowns over all jobs, judged or not. Its result is a reference for benchmarks, not a proven
    bound: local search on a model of the queues may miss better plans.

    window: jobs planned together, the pending one included.
    every: decisions between two plans of the whole window.
    sweeps: visits of each job in such a plan, at most.
    wide: most candidate sites of a job.
    chains: most tries, in such a plan, to move several jobs together (see `planner`); 0 none.
    """

    window: int = 2000
    every: int = 100
    sweeps: int = 3
    wide: int = 1000
    chains: int = 4
    context: OracleContext | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("window", "every", "sweeps", "wide", "chains"):
            value, least = getattr(self, name), int(name != "chains")
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                wanted = f"a whole number {name} >= {least}"
                raise PolicyError(wanted, repr(value), f"pass {name}=8")

    def reset(self, batch: PlacementBatch) -> None:
        """Forecast the competing load of the episodes that have just begun."""
        one_at_a_time(batch)
        self.context = OracleContext.of(batch)

    def choose(self, batch: PlacementBatch) -> np.ndarray:
        """Return a legal site for the pending job of every grid, int64[E]."""
        whole, sites = batch.simulator.decided % self.every == 0, np.zeros(len(batch), np.int64)
        for e in np.flatnonzero(~batch.simulator.done).tolist():
            sites[e] = self._plan(e, bool(whole[e]))
        return sites

    def _plan(self, e: int, whole: bool) -> int:
        """The site for the pending job of grid e; plan the whole window, or that job alone."""
        assert self.context is not None, "reset before choose"
        table, forecast = self.context.table, self.context.forecast
        focus, sweeps, chains = (self.window, self.sweeps, self.chains) if whole else (1, 1, 0)
        return int(plan(table, forecast, e, self.window, focus, sweeps, self.wide, chains))
