"""A job's way through its states."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.oracles.grid_twin.state import STATES, Job, Site


class Dynamics:
    """Methods of GridTwin."""

    def _staged(self, site: Site, job: Job) -> None:
        """The input has come: for the job, and for all that have joined its transfer."""
        here = [job]
        for replica in [*site.disk, *site.passing]:
            if replica.carrier is job and not replica.there:
                here = list(replica.users)
        here = [one for one in here if one.state == "assigned"]
        for one in here:
            if one in site.staging:
                site.staging.remove(one)
            self._activate(site, one)
        if entered := sum(one.cores > 0 for one in here):
            self._start(site, entered)

    def _activate(self, site: Site, job: Job) -> None:
        job.activation = self.env.now
        if job.replica is not None and job.replica in site.passing:
            self._release(job)
            job.replica = None
        if job.replica is not None and not job.replica.there:
            job.replica.there = True
            self._note("replica_there", -1, site.number, job.dataset, job.replica.size)
        if job.cores == 0:
            job.state, job.end = "finished", self.env.now
            self._release(job)
            return
        job.state = "activated"
        self._note("activation", job.number, site.number)
        site.queue.append(job)
        if self.settings.discipline == "priority":
            site.queue.sort(key=lambda j: -j.priority)
        self._limit(job, "activated", 1)

    def _end(self, site: Site, job: Job) -> None:
        if job.state == "running":
            self._finish_attempt(
                site, job, "finished" if job.failure == "none" else "failed", job.failure
            )
            self._start(site)

    def _finish_attempt(self, site: Site, job: Job, state: str, cause: str) -> None:
        """A job leaves, whatever it was doing; what waits has yet to start."""
        for members in (site.staging, site.queue, site.running):
            if job in members:
                members.remove(job)
        if job.state == "assigned":
            self._cut_off(job)
        job.state, job.end, job.cause = state, self.env.now, cause
        self.left.append(job)
        self._note("end", job.number, site.number, STATES.index(state))
        self._release(job)
        site.recent += ((state != "finished") - site.recent) / 50.0
        if state == "finished":
            self._output(site, job)
        elif not self._is_final(job):
            delay = self.settings.retries.delay_s
            again = replace(
                job, number=len(self.jobs), attempt=job.attempt + 1, arrival=self.env.now + delay,
                since=self.env.now, site=-1, placed=math.nan, activation=math.nan, taken=math.nan,
                start=math.nan, end=math.nan, pred_end=math.nan, state="pending", cause="none",
                reserved=None, source=-1, moved=0.0, replica=None, flow=None,
                expected=math.nan,
            )  # fmt: skip
            self.jobs.append(again)
            self.returning.append(again)
            self._note("retry", again.number, site.number, job.number)
            self._arrive(again, (5, 1, again.number), again.arrival)

    def _remove_job(self, job: Job, state: str, cause: str) -> None:
        site = self.sites[job.site]
        self._finish_attempt(site, job, state, cause)
        self._start(site)

    def _is_final(self, job: Job) -> bool:
        again = job.state in ("failed", "closed") and job.attempt < self.settings.attempts
        return not again

    def _after(self, job: Job) -> int:
        return job.number + 1 if job.number < self.stream else 0
