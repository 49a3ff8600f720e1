"""Placement of a job: the source of its input, and the site of the warm start."""

from __future__ import annotations

import math

import numpy as np

from tests.oracles.grid_twin.state import FINAL, Job, Site


class Placement:
    """Methods of GridTwin."""

    def _place(self, job: Job, site: Site) -> None:
        now = self.env.now
        time, source = self._stage_in(job, site)
        job.site, job.placed = site.number, now
        job.source = source if source != site.number else -1
        joins = self._carrier(job, site) is not None
        job.moved = job.size if job.source >= 0 and not joins else 0.0
        if self.settings.discipline == "priority":
            mine = [j for j in self.placed if j.dataset == job.dataset]
            origins = {j.origin for j in mine if j.origin != job.origin} - {
                j.origin for j in mine if j.state in FINAL and self._is_final(j)
            }
            job.priority = 1000.0 - (len(origins) + (job.attempt > 1)) / 5.0
        self.placed.append(job)
        self.own.append((site.number, job, time))
        self._note("placement", job.number, site.number, job.source, job.moved)
        self._claim(job, site)
        self._cancellation(job)
        if joins or time > 0.0:
            job.state = "assigned"
            site.staging.append(job)
            self._limit(job, "assigned", 0)
            if not joins:
                self._transfer(job, site, time, source)
        else:
            self._activate(site, job)
            self._start(site, entered=1)

    def _carrier(self, job: Job, site: Site) -> Job | None:
        """Who has begun to bring the job's input to the site, and is not done."""
        if self.settings.storage is None or job.size <= 0.0 or not job.held:
            return None
        coming = [*site.disk, *site.passing]
        replica = next((r for r in coming if r.dataset == job.dataset), None)
        return None if replica is None or replica.there else replica.carrier

    def _stage_in(self, job: Job, site: Site) -> tuple[float, int]:
        carrier = self._carrier(job, site)
        if carrier is not None:
            return self._left(carrier), carrier.source
        found = []
        for r in self._holders(job):
            delay, per_byte = self._link_cost(r, site.number)
            found.append((delay + job.size * per_byte, r))
        return min(found, key=lambda pair: pair[0], default=(0.0, -1))

    def _largest(self) -> list[Site]:
        def order(site: Site) -> tuple[float, ...]:
            return -site.cores, -site.cores * float(self.platform.power[site.number]), site.number

        return sorted(self.sites, key=order)

    def _warm_site(self, job: Job) -> int:
        fit = [site for site in self._largest() if site.cores >= job.cores]
        weights = [site.cores * float(self.platform.power[site.number]) for site in fit]
        sums = np.cumsum(weights)

        def draw(u: float) -> Site:
            return next(site for site, edge in zip(fit, sums, strict=True) if edge > u * sums[-1])

        a, b = draw(job.place_u), draw(math.modf(job.place_u * 1048576.0)[0])
        now = self.env.now
        return (b if b.wait(now, job.cores) < a.wait(now, job.cores) else a).number

    def _defer(self, job: Job) -> None:
        self.returning.append(job)
        self._note("deferral", job.number)
        when = self.env.now + self.settings.defer_s
        self._arrive(job, (5, 1, job.number), when)
