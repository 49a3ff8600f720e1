"""Actions on data."""

from __future__ import annotations

from dataclasses import replace

from tests.oracles.grid_twin.state import Job, Site


class Replication:
    """Methods of GridTwin."""

    def _replicate(self, job: Job, site: Site) -> None:
        self._replications = getattr(self, "_replications", self.first_replication - 1) + 1
        time, source = self._stage_in(job, site)
        copy = replace(
            job, number=self._replications, cores=0, site=site.number, source=source,
            moved=job.size, state="assigned", replica=None, flow=None,
        )  # fmt: skip
        self._claim(copy, site)
        if time > 0.0:
            self._transfer(copy, site, time, source)
        else:
            self._activate(site, copy)

    def _data_mask(self, job: Job) -> list[bool]:
        n = len(self.sites)
        if job.size <= 0.0 or not job.held:
            return [True] + [False] * (2 * n)
        bring, evict = [], []
        begun = getattr(self, "_replications", self.first_replication - 1) + 1
        left = begun - self.first_replication < self.stream  # as many as there are jobs
        for site in self.sites:
            replica = self._replica(site, job.dataset)
            pinned = sum(r.size for r in site.disk if r.users)
            room = pinned + job.size <= site.quota
            comes = any(r.dataset == job.dataset for r in site.passing)
            absent = replica is None and not comes and site.number not in job.held
            bring.append(absent and room and left)
            evict.append(replica is not None and replica.there and not replica.users)
        return [True, *bring, *evict]

    @property
    def first_replication(self) -> int:
        return self.stream * self.settings.attempts
