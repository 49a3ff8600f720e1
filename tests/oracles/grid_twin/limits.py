"""PanDA's time limits, and cancellations from outside."""

from __future__ import annotations

import simpy

from tests.oracles.grid_twin.draws import job_uniform
from tests.oracles.grid_twin.state import ALIVE, Job


class Limits:
    """Methods of GridTwin."""

    def _limit(self, job: Job, state: str, order: int) -> None:
        if self.settings.limits is None:
            return
        self._serial += 1
        length = getattr(self.settings.limits, f"{state}_s")
        since = job.placed if state == "assigned" else job.activation

        def expire(_: simpy.Event) -> None:
            if job.state == state:
                self._remove_job(job, "closed", f"{state}_limit")

        self._at(since + length, (3, order, self._serial)).callbacks.append(expire)

    def _cancellation(self, job: Job) -> None:
        rules = self.settings.cancellations
        if rules is None or job.attempt > 1 or job_uniform(job.key, 1, 3) >= rules.share:
            return
        later = 2.0 * rules.mean_s * job_uniform(job.key, 1, 4)

        def expire(_: simpy.Event) -> None:
            if job.state in ALIVE:
                self._remove_job(job, "cancelled", "cancelled")

        self._at(self.env.now + later, (2, 2**40 + job.number)).callbacks.append(expire)
