"""One grid from its parts: `step(actions)` takes a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import simpy

from panda_gym.jobs import Episode
from panda_gym.simulator import Settings
from panda_gym.sites import Platform
from tests.oracles.grid_twin.clock import Clock
from tests.oracles.grid_twin.competing import Competing
from tests.oracles.grid_twin.counters import Counters
from tests.oracles.grid_twin.dynamics import Dynamics
from tests.oracles.grid_twin.failures import Failures
from tests.oracles.grid_twin.limits import Limits
from tests.oracles.grid_twin.network import Network
from tests.oracles.grid_twin.outages import Outages
from tests.oracles.grid_twin.placement import Placement
from tests.oracles.grid_twin.queues import Queues
from tests.oracles.grid_twin.replication import Replication
from tests.oracles.grid_twin.state import ALIVE, FINAL, Flow, Job, Site
from tests.oracles.grid_twin.storage import Storage


class GridTwin(
    Clock,
    Competing,
    Counters,
    Dynamics,
    Failures,
    Limits,
    Network,
    Outages,
    Placement,
    Queues,
    Replication,
    Storage,
):
    """`step(actions)` takes a decision; `observation()` and `outcome` follow the kernel's."""

    def __init__(self, platform: Platform, episode: Episode, settings: Settings, seed: int) -> None:
        self.env = simpy.Environment()
        self.platform, self.settings, self.seed = platform, settings, seed
        self.episode, self.outcome = episode, {}
        self.level = settings.network.level if settings.network else 0
        widths = sorted(set(episode.cores.tolist()))
        risk = np.broadcast_to(np.asarray(episode.risk, dtype=float), len(platform))
        self.sites = [
            Site(s, int(cores), float(power) * 1.0 * settings.efficiency,
                 max([w for w in widths if w <= cores], default=0), risk=float(risk[s]))
            for s, (cores, power) in enumerate(zip(platform.cores, platform.power, strict=True))
        ]  # fmt: skip
        rank = settings.failures.black_hole if settings.failures else 0
        by_cores = sorted(self.sites, key=lambda site: -site.cores)  # stable
        self.black_hole = by_cores[rank - 1].number if rank else -1
        self._equip()
        self.flows: list[Flow] = []
        self.history: list[tuple[float, str, int, int, int, float]] = []
        self.jobs = [self._job(j) for j in range(len(episode))]
        self.stream, self.placed, self.left = len(self.jobs), [], []
        self.returning: list[Job] = []
        self.arrived = 0
        self.pending: list[Job] = []
        self.decided, self.until_ended = 0, episode.tail is not None
        self.judged = len(episode) - (episode.tail or 0)
        self._decisions = self.judged - episode.warmup
        self.cursor, self.draining, self._serial, self._area = 0, False, 0, 0.0
        for site in self.sites:
            self._begin_load(site)
            self._next_status(site, 0)
        for job in self.jobs:
            self._arrive(job, (5, 0, job.number), job.arrival)
        self._refresh(0)
        while self.cursor < episode.warmup:
            self._proceed(1)
            self._place(self.pending[0], self.sites[self._warm_site(self.pending[0])])
            self.cursor = max(self.cursor, self._after(self.pending[0]))
        self._proceed(self._wanted())
        self._check_done()
        self._area = self._total_area()

    def step(self, actions: int | Sequence[int], data: Sequence[int] | None = None) -> None:
        asked = [actions] if isinstance(actions, int) else list(actions)
        self.left, self.outcomes, self.overrun = [], [], 0.0
        before = self._area
        for q, job in enumerate(self.pending):
            self.outcomes.append(self._decide(job, asked[q], data[q] if data else 0))
            self.decided += 1
            self.cursor = max(self.cursor, self._after(job))
        self.pending = []
        self._proceed(self._wanted())
        self._check_done()
        self._area = self._total_area()
        final = [job for job in self.left if self._is_final(job)]
        self.outcome = self.outcomes[-1]
        self.totals = {
            "area": self._area - before,
            "ended": len(final),
            "ended_gflop": sum(j.true * j.noise for j in self.left if j.state == "finished"),
            "ended_ln": sum(math.log(self._slowdown(j)) for j in final),
            "wasted_core_s": sum(
                j.cores * (j.end - j.taken)
                for j in self.left if j.state != "finished" and j.taken <= j.end
            ),
            "closures": sum(job.state == "closed" for job in self.left),
            "failures": sum(job.state == "failed" for job in self.left),
            "overrun_bytes": self.overrun,
        }  # fmt: skip
        self.outcome |= self.totals

    def drain(self) -> None:
        """Until all placed jobs have ended; what arrives is not placed."""
        self.draining = True
        while self.returning or any(job.state in ALIVE for job in self.placed):
            self.env.step()

    def _wanted(self) -> int:
        most = self.settings.decisions
        return most if self.until_ended else min(most, self._decisions - self.decided)

    def _judged_left(self) -> bool:
        ended = {j.origin for j in self.placed if j.state in FINAL and self._is_final(j)}
        return any(j not in ended for j in range(self.episode.warmup, self.judged))

    def _check_done(self) -> None:
        left = self._judged_left() if self.until_ended else self.decided < self._decisions
        self.done = not left
        if self.done:
            self.pending = []

    def _decide(self, job: Job, action: int, data: int) -> dict[str, float]:
        mask, n = self._mask(job), len(self.sites)
        wrong = not 0 <= action < n + (self.settings.defer_s is not None) or not mask[action]
        outcome: dict[str, float] = {"deferred": 0, "wan_bytes": 0.0}
        if self.settings.replicate:
            ops = mask[n + (self.settings.defer_s is not None) :]
            if not 0 <= data < len(ops) or not ops[data]:
                outcome["illegal"] = 1
            elif data > n:
                site = self.sites[data - 1 - n]
                self._drop(site, self._replica(site, job.dataset))
            elif data > 0:
                outcome["wan_bytes"] += job.size
                self._replicate(job, self.sites[data - 1])
        outcome["illegal"] = max(int(wrong), outcome.get("illegal", 0))
        if not wrong and action == n:
            self._defer(job)
            return outcome | {"site": -1, "deferred": 1}
        site = self._largest()[0] if wrong else self.sites[action]
        now, time = self.env.now, self._stage_in(job, site)[0]
        outcome |= {
            "site": site.number,
            "wait_pred": site.wait(now, job.cores),
            "wait_true": site.wait(now, job.cores, "true_run"),
            "transfer": time,
            "run_pred": site.pred_run(job),
            "run_true": site.true_run(job),
            "ideal_pred": site.pred_run(job) * site.speed / self._top_speed(),
            "ideal_true": site.true_run(job) * site.speed / self._top_speed(),
        }
        self._place(job, site)
        outcome["wan_bytes"] += job.moved
        return outcome

    def _total_area(self) -> float:
        """Time integral of the unfinished jobs so far, those not placed again yet left out."""
        now = self.env.now
        return sum((min(now, j.end) if j.state in FINAL else now) - j.since for j in self.placed)

    def _job(self, j: int) -> Job:
        e = self.episode
        rules, dataset, size = self.settings, -1, float(e.input_bytes[j])
        held = [int(r) for r in e.replicas[j] if r >= 0]
        if rules.storage is not None or rules.discipline == "priority":
            dataset = self.names.index(int(e.dataset[j]))
        if rules.storage is not None:
            size, held = (self.sizes[dataset] if size > 0.0 else 0.0), self.primary[dataset]
        hazard = float(np.broadcast_to(np.asarray(e.hazard, dtype=float), len(e))[j])
        scale = rules.failures.scale if rules.failures else 0.0
        return Job(
            j, j, 1, float(e.arrival_s[j]), float(e.arrival_s[j]), int(e.cores[j]),
            float(e.workload_true[j]), float(e.workload_pred[j]), float(e.noise[j]), size,
            int(e.input_files[j]), dataset, held, float(e.place_u[j]), scale * hazard,
            int(float(e.failure_u[j]) * 2.0**53), float(e.arrival_s[j]),
            float(np.broadcast_to(np.asarray(e.requested_s, dtype=float), len(e))[j]),
        )  # fmt: skip

    def _slowdown(self, job: Job) -> float:
        site = self.sites[job.site]
        ideal = site.true_run(job) * site.speed / self._top_speed()
        return max(1.0, (job.end - job.born) / max(ideal, self.settings.bound_s))

    def _top_speed(self) -> float:
        return max(site.speed for site in self.sites)
