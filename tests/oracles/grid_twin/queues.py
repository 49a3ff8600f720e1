"""Which waiting job starts next, and its start."""

from __future__ import annotations

import math

from tests.oracles.grid_twin.draws import job_uniform
from tests.oracles.grid_twin.state import Job, Site


class Queues:
    """Methods of GridTwin."""

    def _start(self, site: Site) -> None:
        while site.status != "down" and (job := self._next(site)) is not None:
            site.queue.remove(job)
            now, rules = self.env.now, self.settings
            run, job.failure = self._draw_failure(site, job)
            delay = 2.0 * rules.pilot_s * job_uniform(job.key, job.attempt, 2)
            job.state, job.taken, job.start = "running", now, now + delay
            job.end, job.pred_end = job.start + run, job.start + site.pred_run(job)
            site.running.append(job)
            self._note("cores_taken", job.number, site.number, job.cores)
            event = self._at(job.end, (0, site.number, 0, job.number))
            event.callbacks.append(lambda _, job=job: self._end(site, job))

    def _next(self, site: Site) -> Job | None:
        if not site.queue:
            return None
        head, now = site.queue[0], self.env.now
        if head.cores <= site.free():
            return head
        if self.settings.discipline != "easy" or site.free() <= 0:
            return None
        free, when = site.free(), math.inf
        for job in sorted(site.running, key=lambda j: (max(now, j.pred_end), j.number)):
            free += job.cores
            if free >= head.cores:
                when = max(now, job.pred_end)
                break
        extra = free - head.cores if when < math.inf else 0
        for job in site.queue[1:]:
            delay = 2.0 * self.settings.pilot_s * job_uniform(job.key, job.attempt, 2)
            early = now + delay + site.pred_run(job) <= when
            if job.cores <= site.free() and (job.cores <= extra or early):
                return job
        return None
