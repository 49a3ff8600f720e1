"""The simulator again, slow and obvious, as SimPy events and Python lists: one grid.

Written from the description of the semantics; shares no code with the kernel. Every quantity
that the kernel keeps as a running sum is counted anew from the lists here.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

import numpy as np
import simpy

from panda_gym.jobs import Episode
from panda_gym.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.simulator import Settings
from panda_gym.sites import Platform

WORD = (1 << 64) - 1


def splitmix(number: int) -> int:
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & WORD
    return number ^ (number >> 31)


def nearly_normal(seed: int, site: int, k: int) -> float:
    step = 0x9E3779B97F4A7C15
    number = splitmix((splitmix((seed + step * (site + 1)) & WORD) + step * (k + 1)) & WORD)
    parts = [(number >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]
    return (sum(parts) - 131070.0) / math.sqrt((2.0**32 - 1.0) / 3.0)


@dataclass
class Job:
    number: int
    arrival: float
    cores: int
    true: float
    pred: float
    noise: float
    size: float
    files: int
    held: list[int]
    place_u: float
    site: int = -1
    activation: float = math.nan
    start: float = math.nan
    end: float = math.nan


@dataclass
class Site:
    number: int
    cores: int
    speed: float
    wide: int
    others: int = 0
    load: float = 0.0
    staging: list[Job] = field(default_factory=list)
    queue: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)

    def free(self) -> int:
        return self.cores - self.others - sum(job.cores for job in self.running)

    def pred_run(self, job: Job) -> float:
        return job.pred / (job.cores * self.speed)

    def true_run(self, job: Job) -> float:
        return job.true / (job.cores * self.speed) * job.noise

    def waiting(self) -> list[Job]:
        return self.staging + self.queue

    def spare(self) -> int:
        return self.free() - sum(job.cores for job in self.waiting())

    def ahead(self, now: float, run: str) -> float:
        length = getattr(self, run)
        left = sum(job.cores * (job.start + length(job) - now) for job in self.running)
        return max(0.0, left) + sum(job.cores * length(job) for job in self.waiting())

    def wait(self, now: float, cores: int, run: str = "pred_run") -> float:
        if self.spare() >= cores:
            return 0.0
        return self.ahead(now, run) / max(1, self.cores - self.others)


class GridTwin:
    """`step(site)` places one job; `observation()` and `outcome` follow the kernel's."""

    def __init__(self, platform: Platform, episode: Episode, settings: Settings, seed: int) -> None:
        self.env = simpy.Environment()
        self.platform, self.settings, self.seed = platform, settings, seed
        self.episode, self.outcome = episode, {}
        widths = sorted(set(episode.cores.tolist()))
        self.sites = [
            Site(s, int(cores), float(power) * 1.0 * settings.efficiency,
                 max([w for w in widths if w <= cores], default=0))
            for s, (cores, power) in enumerate(zip(platform.cores, platform.power, strict=True))
        ]  # fmt: skip
        self.jobs = [self._job(j) for j in range(len(episode))]
        self.cursor, self._decisions = 0, len(episode) - episode.warmup
        for site in self.sites:
            self._begin_load(site)
        self.arrivals = [self._at(job.arrival, (4, job.number)) for job in self.jobs]
        self._refresh(0)
        self._proceed()
        while self.cursor < episode.warmup:
            self._place(self.sites[self._warm_site(self.jobs[self.cursor])])
            self._proceed()

    def step(self, action: int) -> None:
        job = self.jobs[self.cursor]
        legal = 0 <= action < len(self.sites) and self.sites[action].cores >= job.cores
        site = self.sites[action] if legal else self._largest()[0]
        now, (time, origin) = self.env.now, self._stage_in(job, site)
        self.outcome = {
            "site": site.number,
            "illegal": int(not legal),
            "wait_pred": site.wait(now, job.cores),
            "wait_true": site.wait(now, job.cores, "true_run"),
            "transfer": time,
            "run_pred": site.pred_run(job),
            "run_true": site.true_run(job),
            "ideal_pred": site.pred_run(job) * site.speed / self._top_speed(),
            "ideal_true": site.true_run(job) * site.speed / self._top_speed(),
            "wan_bytes": job.size if origin not in (-1, site.number) else 0.0,
        }
        self._place(site)
        self._proceed()
        ended = [j for j in self.jobs if now < j.end <= self.env.now or self._ended_at(j, now)]
        self.outcome |= {
            "area": sum(
                min(self.env.now, j.end if j.end == j.end else math.inf) - now
                for j in self.jobs[: self.cursor]
                if not j.end <= now
            ),
            "ended": len(ended),
            "ended_gflop": sum(j.true * j.noise for j in ended),
            "ended_ln": sum(math.log(self._slowdown(j)) for j in ended),
        }
        self.gone = {j.number for j in self.jobs if j.end <= self.env.now}

    def drain(self) -> None:
        while any(not job.end <= self.env.now for job in self.jobs[: self.cursor]):
            self.env.step()

    # Events: SimPy's queue orders by (time, priority, serial); here at exact times.

    def _at(self, time: float, priority: tuple[int, ...]) -> simpy.Event:
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        heapq.heappush(self.env._queue, (time, priority, next(self.env._eid), event))
        return event

    def _proceed(self) -> None:
        if self.cursor < len(self.jobs):
            while not self.arrivals[self.cursor].processed:
                self.env.step()
            if self.settings.staleness_s == 0.0:
                self._read()

    def _place(self, site: Site) -> None:
        job = self.jobs[self.cursor]
        job.site = site.number
        self.cursor += 1
        time, _ = self._stage_in(job, site)
        self.own.append((site.number, job, time))
        if time > 0.0:
            site.staging.append(job)
            event = self._at(job.arrival + time, (1, job.number))
            event.callbacks.append(lambda _: self._activate(site, job))
        else:
            self._activate(site, job)

    def _activate(self, site: Site, job: Job) -> None:
        if job in site.staging:
            site.staging.remove(job)
        job.activation = self.env.now
        site.queue.append(job)
        self._start(site)

    def _start(self, site: Site) -> None:
        while site.queue and site.queue[0].cores <= site.free():
            job = site.queue.pop(0)
            job.start, job.end = self.env.now, self.env.now + site.true_run(job)
            site.running.append(job)
            event = self._at(job.end, (0, site.number, 0, job.number))
            event.callbacks.append(lambda _, job=job: self._end(site, job))

    def _end(self, site: Site, job: Job) -> None:
        site.running.remove(job)
        self._start(site)

    # Competing load.

    def _level(self, site: Site, time: float) -> int:
        load = self.settings.competing
        if load is None:
            return 0
        hour = (int((self.episode.clock_s + time) / 900.0) % 96 + 0.5) / 4.0
        cycle = 1.0 + load.daily * np.cos(2.0 * np.pi * (hour - load.peak_hour) / 24.0)
        share = load.mean * cycle * (1.0 + load.spread * site.load)
        return max(0, min(int(share * site.cores + 0.5), site.cores - site.wide))

    def _begin_load(self, site: Site) -> None:
        site.load = nearly_normal(self.seed, site.number, 0)
        site.others = self._level(site, 0.0)
        if self.settings.competing is not None:
            self._next_change(site, 1)

    def _next_change(self, site: Site, k: int) -> None:
        turn = (site.number + 1.0) / (len(self.sites) + 1.0)
        time = (k - 1 + turn) * self.settings.competing.interval_s
        self._at(time, (0, site.number, 1)).callbacks.append(lambda _: self._change(site, k))

    def _change(self, site: Site, k: int) -> None:
        memory = self.settings.competing.memory
        draw = nearly_normal(self.seed, site.number, k)
        site.load = memory * site.load + math.sqrt(1.0 - memory * memory) * draw
        site.others = self._level(site, self.env.now)
        self._start(site)
        self._next_change(site, k + 1)

    # Estimates.

    def _job(self, j: int) -> Job:
        e = self.episode
        return Job(
            j, float(e.arrival_s[j]), int(e.cores[j]), float(e.workload_true[j]),
            float(e.workload_pred[j]), float(e.noise[j]), float(e.input_bytes[j]),
            int(e.input_files[j]), [int(r) for r in e.replicas[j] if r >= 0], float(e.place_u[j]),
        )  # fmt: skip

    def _stage_in(self, job: Job, site: Site) -> tuple[float, int]:
        found = []
        for r in job.held if job.size > 0.0 else []:
            rate = float(self.platform.bandwidth_mbps[r, site.number]) * 1e6
            delay = 0.0 if math.isinf(rate) else float(self.platform.latency_s[r, site.number])
            # Link figures are kept in single precision.
            found.append((float(np.float32(delay)) + job.size * float(np.float32(1.0 / rate)), r))
        return min(found, key=lambda pair: pair[0], default=(0.0, -1))

    def _slowdown(self, job: Job) -> float:
        site = self.sites[job.site]
        ideal = site.true_run(job) * site.speed / self._top_speed()
        return max(1.0, (job.end - job.arrival) / max(ideal, self.settings.bound_s))

    def _top_speed(self) -> float:
        return max(site.speed for site in self.sites)

    def _ended_at(self, job: Job, now: float) -> bool:
        return job.end == now and job.number not in getattr(self, "gone", set())

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

    # What is seen.

    def _refresh(self, k: int) -> None:
        if self.settings.staleness_s == 0.0:
            self._read()
            return
        event = self._at(k * self.settings.staleness_s, (3,))
        event.callbacks.append(lambda _: (self._read(), self._refresh(k + 1)))

    def _read(self) -> None:
        now, self.own, self.read_at = self.env.now, [], self.env.now
        self.counters = {
            "free": [site.free() for site in self.sites],
            "running": [len(site.running) for site in self.sites],
            "activated": [len(site.queue) for site in self.sites],
            "assigned": [len(site.staging) for site in self.sites],
            "queued": [sum(j.cores * s.pred_run(j) for j in s.waiting()) for s in self.sites],
            "work": [site.ahead(now, "pred_run") for site in self.sites],
            "spare": [site.spare() for site in self.sites],
            "left": [max(1, site.cores - site.others) for site in self.sites],
        }

    def _seen(self, s: int) -> dict[str, float]:
        """Counters of site s as last read, with what was placed there since."""
        site, seen = self.sites[s], {name: values[s] for name, values in self.counters.items()}
        for job, time in [(job, time) for where, job, time in self.own if where == s]:
            seen["free"] -= job.cores
            seen["spare"] -= job.cores
            seen["assigned" if time > 0.0 else "activated"] += 1
            seen["queued"] += job.cores * site.pred_run(job)
            seen["work"] += job.cores * site.pred_run(job)
        return seen

    def _site_row(self, s: int, job: Job | None) -> dict[str, float]:
        site, seen, platform = self.sites[s], self._seen(s), self.platform
        row = {
            "cores": site.cores, "power": platform.power[s], "free_cores": max(0, seen["free"]),
            "running": seen["running"], "activated": seen["activated"],
            "assigned": seen["assigned"], "queued_work": seen["queued"], "wait": 0.0,
            "transfer": 0.0, "run": 0.0, "local_share": 0.0, "closeness": 0.0,
            "disk_free": platform.disk_tb[s], "failure_rate": 0.0, "online": 1.0,
        }  # fmt: skip
        if job is None:
            return row
        if seen["spare"] < job.cores:
            row["wait"] = max(0.0, seen["work"] / seen["left"] - (self.env.now - self.read_at))
        row["transfer"], row["run"] = self._stage_in(job, site)[0], site.pred_run(job)
        remote = job.size > 0.0 and job.held
        row["local_share"] = float(s in job.held) if remote else 1.0
        row["closeness"] = min(platform.closeness[r, s] for r in job.held) if remote else 0.0
        return row

    def observation(self) -> dict[str, np.ndarray]:
        """Encoded in float64 from the tables of the observation."""
        done = self.cursor >= len(self.jobs)
        job = None if done else self.jobs[self.cursor]
        rows = [self._site_row(s, job) for s in range(len(self.sites))]
        seen = [self._seen(s) for s in range(len(self.sites))]
        total, when = float(self.platform.cores.sum()), self.episode.clock_s + self.env.now
        angles = [
            2.0 * np.pi * (int(when / p * 1440) % 1440 + 0.5) / 1440 for p in (86400.0, 604800.0)
        ]
        grid = {
            "counter_age": self.env.now - self.read_at,
            "free_share": sum(max(0, one["free"]) for one in seen) / total,
            "queued_share": sum(one["queued"] for one in seen) / (3600.0 * total),
            "hour_sin": np.sin(angles[0]), "hour_cos": np.cos(angles[0]),
            "week_sin": np.sin(angles[1]), "week_cos": np.cos(angles[1]),
            "progress": (self.cursor - self.episode.warmup) / self._decisions,
        }  # fmt: skip
        of_job = {
            "cores": job.cores, "workload_pred": job.pred,
            "input_bytes": job.size, "input_files": job.files,
        } if job else {}  # fmt: skip
        fits = [1 if job is None or site.cores >= job.cores else 0 for site in self.sites]
        return {
            "sites": np.stack([f.encode(np.array([r[f.name] for r in rows], dtype=float))
                               for f in SITE_FEATURES]),
            "job": np.array([f.encode(float(of_job.get(f.name, 0.0))) for f in JOB_FEATURES]),
            "grid": np.array([f.encode(float(grid[f.name])) for f in GRID_FEATURES]),
            "action_mask": np.array(fits),
        }  # fmt: skip
