"""The competing load of every site."""

from __future__ import annotations

import math

import numpy as np

from tests.oracles.grid_twin.draws import nearly_normal
from tests.oracles.grid_twin.state import Site


class Competing:
    """Methods of GridTwin."""

    def _level(self, site: Site, time: float, k: int) -> int:
        load = self.settings.competing
        if load is None:
            return 0
        hour = (int((self.episode.clock_s + time) / 900.0) % 96 + 0.5) / 4.0
        cycle = 1.0 + load.daily * np.cos(2.0 * np.pi * (hour - load.peak_hour) / 24.0)
        share = load.mean * cycle * (1.0 + load.spread * site.load)
        if load.trace is not None:
            row = load.trace[k % len(load.trace)]
            share = row[site.number % len(row)]
        return max(0, min(int(share * site.cores + 0.5), site.cores - site.wide))

    def _begin_load(self, site: Site) -> None:
        site.load = nearly_normal(self.seed, site.number, 0)
        site.competing_cores = self._level(site, 0.0, 0)
        if self.settings.competing is not None:
            self._next_change(site, 1)

    def _next_change(self, site: Site, k: int) -> None:
        phase = (site.number + 1.0) / (len(self.sites) + 1.0)
        time = (k - 1 + phase) * self.settings.competing.interval_s
        self._at(time, (0, site.number, 1)).callbacks.append(lambda _: self._change(site, k))

    def _change(self, site: Site, k: int) -> None:
        memory = self.settings.competing.memory
        draw = nearly_normal(self.seed, site.number, k)
        site.load = memory * site.load + math.sqrt(1.0 - memory * memory) * draw
        site.competing_cores = self._level(site, self.env.now, k)
        self._note("competing_load", -1, site.number, site.competing_cores)
        self._start(site)
        self._next_change(site, k + 1)
