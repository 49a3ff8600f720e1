"""Which waiting job starts next, and its start."""

from __future__ import annotations

import math

from tests.oracles.grid_twin.draws import job_uniform
from tests.oracles.grid_twin.state import Job, Site


class Queues:
    """Methods of GridTwin."""

    def _start(self, site: Site, entered: int = 0) -> None:
        if self.settings.discipline == "conservative":
            self._start_reserved(site, entered)
            return
        while site.status != "down" and (job := self._next(site)) is not None:
            self._begin(site, job)

    def _begin(self, site: Site, job: Job) -> None:
        site.queue.remove(job)
        now = self.env.now
        run, job.failure = self._draw_failure(site, job)
        job.state, job.taken, job.start = "running", now, now + self._delay(job)
        job.end, job.pred_end = job.start + run, job.start + site.pred_run(job)
        site.running.append(job)
        self._note("cores_taken", job.number, site.number, job.cores)
        event = self._at(job.end, (0, site.number, 0, job.number))
        event.callbacks.append(lambda _, job=job: self._end(site, job))

    def _delay(self, job: Job) -> float:
        return 2.0 * self.settings.pilot_s * job_uniform(job.key, job.attempt, 2)

    def _estimate(self, site: Site, job: Job) -> float:
        return site.estimate(job, self.settings.requested_factor)

    def _next(self, site: Site) -> Job | None:
        if not site.queue:
            return None
        head, now = site.queue[0], self.env.now
        if head.cores <= site.free():
            return head
        if self.settings.discipline != "easy" or site.free() <= 0:
            return None
        ends = [(max(now, j.start + self._estimate(site, j)), j.cores) for j in site.running]
        when, extra = math.inf, 0
        for time in sorted({end for end, _ in ends}):
            free = site.free() + sum(cores for end, cores in ends if end <= time)
            if free >= head.cores:
                when, extra = time, free - head.cores
                break
        for job in site.queue[1:]:
            early = now + self._delay(job) + self._estimate(site, job) <= when
            if job.cores <= site.free() and (job.cores <= extra or early):
                return job
        return None

    def _start_reserved(self, site: Site, entered: int) -> None:
        """Conservative backfilling, by counting the cores in use at every time that matters."""
        now, most = self.env.now, self.settings.reservations
        if site.status == "down" or not site.queue:
            return
        if entered and site.free() <= 0 and len(site.queue) - entered >= most:
            return
        if any(not self._kept(site, job) for job in site.queue if job.reserved is not None):
            for job in site.queue:
                job.reserved = None
        idle, held, due = site.free(), 0, []
        for job in site.queue:
            if held < most:
                if not entered:
                    job.reserved = None
                if job.reserved is None:
                    job.reserved = self._earliest(site, job)
            elif job.cores <= idle and self._fits(site, job, now):
                job.reserved = now
            if job.reserved == now and job.cores <= idle:
                idle -= job.cores
                due.append(job)
            else:
                held += 1
        for job in due:
            self._begin(site, job)

    def _slots(self, site: Site, but: Job) -> list[tuple[float, float, int]]:
        """Begin, end and cores of running jobs and of reservations, those of `but` left out."""
        running = [(-math.inf, j.start + self._estimate(site, j), j.cores) for j in site.running]
        return running + [
            (j.reserved, self._slot_end(site, j, j.reserved), j.cores)
            for j in site.queue
            if j.reserved is not None and j is not but
        ]

    def _slot_end(self, site: Site, job: Job, begin: float) -> float:
        return begin + self._delay(job) + self._estimate(site, job)

    def _fits(self, site: Site, job: Job, begin: float) -> bool:
        slots = self._slots(site, job)
        end = self._slot_end(site, job, begin)
        usable = site.cores - site.competing_cores - site.offline_cores
        times = [begin] + [first for first, _, _ in slots if begin < first < end]
        return all(
            sum(cores for first, last, cores in slots if first <= time < last) + job.cores <= usable
            for time in times
        )

    def _kept(self, site: Site, job: Job) -> bool:
        return job.reserved >= self.env.now and self._fits(site, job, job.reserved)

    def _earliest(self, site: Site, job: Job) -> float | None:
        now = self.env.now
        times = {now} | {last for _, last, _ in self._slots(site, job) if last > now}
        return next((time for time in sorted(times) if self._fits(site, job, time)), None)
