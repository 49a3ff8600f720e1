"""Outages of sites."""

from __future__ import annotations

import math

from tests.oracles.grid_twin.draws import outage_bits, splitmix, uniform
from tests.oracles.grid_twin.state import Site


class Outages:
    """Methods of GridTwin."""

    def _next_status(self, site: Site, k: int) -> None:
        rules = self.settings.outages
        if rules is None:
            return
        mean = {"up": rules.up_s, "down": rules.down_s, "brown": rules.brown_s}[site.status]
        ln_stay = math.log1p(-1.0 / max(mean / rules.step_s, 1.0 + 1e-9))
        u = uniform(outage_bits(self.seed, site.number, k))
        site.back = self.env.now + rules.step_s * (1.0 + math.floor(math.log(1.0 - u) / ln_stay))
        event = self._at(site.back, (0, site.number, 2))
        event.callbacks.append(lambda _: self._change_status(site, k + 1))

    def _change_status(self, site: Site, k: int) -> None:
        rules = self.settings.outages
        was, site.status, site.offline_cores, site.outage = site.status, "up", 0, k
        if was == "up":
            coin = uniform(splitmix(outage_bits(self.seed, site.number, k)))
            site.status = "brown" if coin < rules.brown else "down"
            site.offline_cores = (
                int(rules.brown_cores * site.cores) if site.status == "brown" else 0
            )
        self._next_status(site, k)
        limits = self.settings.limits
        if site.status == "down" and limits is not None:
            lost = self.env.now + limits.heartbeat_s
            if lost < site.back:
                event = self._at(lost, (0, site.number, 3))
                event.callbacks.append(lambda _: self._fail_running(site))
        usable = 0 if site.status == "down" else site.cores - site.offline_cores
        self._note(f"site_{site.status}", -1, site.number, usable)
        self._start(site)

    def _fail_running(self, site: Site) -> None:
        for job in sorted(site.running, key=lambda j: (j.end, j.number)):
            self._finish_attempt(site, job, "failed", "heartbeat")
        self._start(site)
