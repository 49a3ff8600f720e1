"""Time: SimPy's queue orders by (time, priority, serial); here at exact times."""

from __future__ import annotations

import heapq

import simpy

from tests.oracles.grid_twin.state import ALIVE, Job


class Clock:
    """Methods of GridTwin."""

    def _note(
        self, kind: str, job: int = -1, site: int = -1, other: int = -1, size: float = 0.0
    ) -> None:
        self.history.append((self.env.now, kind, job, site, other, size))

    def _at(self, time: float, priority: tuple[int, ...]) -> simpy.Event:
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        heapq.heappush(self.env._queue, (time, priority, next(self.env._eid), event))
        return event

    def _arrive(self, job: Job, priority: tuple[int, ...], time: float) -> None:
        def come(_: simpy.Event) -> None:
            if job in self.returning:
                self.returning.remove(job)
            elif self.draining:
                return
            else:
                self.arrived += 1
            if self.settings.staleness_s == 0.0:
                self._read()
            self.pending.append(job)
            self._note("arrival", job.number, -1, job.origin, job.size)

        self._at(time, priority).callbacks.append(come)

    def _proceed(self, wanted: int) -> None:
        self.pending = []
        while len(self.pending) < wanted and self._more():
            self.env.step()

    def _more(self) -> bool:
        """Whether to wait: for an arrival that is due, or with no job pending, for a retry."""
        if self.arrived < self.stream or self.returning:
            return True
        return not self.pending and any(job.state in ALIVE for job in self.placed)
