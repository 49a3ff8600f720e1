"""Replicas and outputs on the disks."""

from __future__ import annotations

import math

from tests.oracles.grid_twin.state import Job, Replica, Site


class Storage:
    """Methods of GridTwin."""

    def _equip(self) -> None:
        rules, episode, self.overrun, self.born = self.settings, self.episode, 0.0, 0
        for site in self.sites:
            if rules.storage is not None:
                site.quota = math.floor(rules.storage.gb_per_core * 1e9 * site.cores)
            if rules.network is not None:
                s, n = site.number, len(self.sites)
                ends = [self.platform.bandwidth_mbps[s, r] for r in range(n) if r != s]
                ends += [self.platform.bandwidth_mbps[r, s] for r in range(n) if r != s]
                fastest = max([0.0, *map(float, ends)])
                site.cap = max(rules.network.mbps_per_core * site.cores, fastest) * 1e6
        self.names = sorted(set(episode.dataset.tolist()))
        self.sizes, self.primary = {}, {}
        for d, name in enumerate(self.names):
            rows = [j for j in range(len(episode)) if episode.dataset[j] == name]
            read = [float(episode.input_bytes[j]) for j in rows if episode.input_bytes[j] > 0.0]
            self.sizes[d] = math.floor(sum(read) / max(len(read), 1))
            self.primary[d] = [int(r) for r in episode.replicas[rows[0]] if r >= 0]

    def _replica(self, site: Site, dataset: int) -> Replica | None:
        return next((r for r in site.disk if r.dataset == dataset), None)

    def _holders(self, job: Job) -> list[int]:
        """Sites that the job's input can be read from; none: it is local everywhere."""
        if job.size <= 0.0 or not job.held:
            return []
        if self.settings.storage is None:
            return job.held
        more = [r for s in self.sites if (r := self._replica(s, job.dataset)) and r.there]
        more.sort(key=lambda replica: -replica.born)  # of equal times that of the latest counts
        return job.held + [replica.site for replica in more]

    def _room(self, site: Site, size: float) -> bool:
        pinned = sum(replica.size for replica in site.disk if replica.users)
        if pinned + size > site.quota:
            return False
        while site.used() + size > site.quota:
            self._drop(site, next(replica for replica in site.disk if not replica.users))
        return True

    def _drop(self, site: Site, replica: Replica) -> None:
        site.disk.remove(replica)
        self._note("replica_gone", -1, site.number, replica.dataset, replica.size)

    def _claim(self, job: Job, site: Site) -> None:
        """`disk` is in order of use: what was placed for last stands last."""
        if self.settings.storage is None or job.size <= 0.0 or not job.held:
            return
        passing = [r for r in site.passing if r.dataset == job.dataset]
        if passing:
            job.replica = passing[0]
            passing[0].users.append(job)
            return
        replica = self._replica(site, job.dataset)
        if replica is None:
            if site.number in job.held:
                return
            if not self._room(site, job.size):
                self.overrun += job.size
                job.replica = Replica(site.number, job.dataset, 0.0, [job], carrier=job)
                site.passing.append(job.replica)
                return
            self.born += 1
            replica = Replica(site.number, job.dataset, job.size, born=self.born, carrier=job)
            self._note("replica_begun", -1, site.number, job.dataset, job.size)
        else:
            site.disk.remove(replica)
        site.disk.append(replica)
        replica.users.append(job)
        job.replica = replica

    def _release(self, job: Job) -> None:
        if job.replica is not None:
            job.replica.users.remove(job)
            passing = self.sites[job.replica.site].passing
            if job.replica in passing:
                if not job.replica.users:
                    passing.remove(job.replica)
            elif not job.replica.users and not job.replica.there:
                self._drop(self.sites[job.replica.site], job.replica)

    def _output(self, site: Site, job: Job) -> None:
        if self.settings.storage is None:
            return
        size = math.floor(self.settings.storage.output * job.size)
        if size > 0:
            kept = self._room(site, size)
            if kept:
                site.disk.append(Replica(site.number, -1, size, there=True))
            else:
                self.overrun += size
            self._note("output", job.number, site.number, -1, size if kept else 0.0)
