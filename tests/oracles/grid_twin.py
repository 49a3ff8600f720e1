"""The simulator again, slow and obvious, as SimPy events and Python lists: one grid.

Written from the description of the semantics; shares no code with the kernel. Every quantity
that the kernel keeps as a running sum is counted anew from the lists here. `history` lists what
happens, as the kernel's buffer of events does, flow_rate and refresh left out.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import simpy

from panda_gym.jobs import Episode
from panda_gym.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.simulator import Settings
from panda_gym.sites import Platform

WORD = (1 << 64) - 1
STATES = (
    "pending", "assigned", "activated", "starting", "running",
    "finished", "failed", "closed", "cancelled",
)  # fmt: skip
ALIVE, FINAL = STATES[1:5], STATES[5:]


def splitmix(number: int) -> int:
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & WORD
    return number ^ (number >> 31)


def nearly_normal(seed: int, site: int, k: int) -> float:
    step = 0x9E3779B97F4A7C15
    number = splitmix((splitmix((seed + step * (site + 1)) & WORD) + step * (k + 1)) & WORD)
    parts = [(number >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]
    return (sum(parts) - 131070.0) / math.sqrt((2.0**32 - 1.0) / 3.0)


def uniform(number: int) -> float:
    return (number >> 11) / 2.0**53


def job_uniform(key: int, attempt: int, which: int) -> float:
    return uniform(splitmix((key + 0x9E3779B97F4A7C15 * (8 * attempt + which + 1)) & WORD))


def outage_bits(seed: int, site: int, k: int) -> int:
    step, salted = 0x9E3779B97F4A7C15, seed ^ 0xA0761D6478BD642F
    return splitmix((splitmix((salted + step * (site + 1)) & WORD) + step * (k + 1)) & WORD)


@dataclass(eq=False)
class Job:
    number: int
    origin: int
    attempt: int
    arrival: float
    born: float
    cores: int
    true: float
    pred: float
    noise: float
    size: float
    files: int
    dataset: int
    held: list[int]
    place_u: float
    hazard: float
    key: int
    since: float
    site: int = -1
    placed: float = math.nan
    activation: float = math.nan
    taken: float = math.nan
    start: float = math.nan
    end: float = math.nan
    pred_end: float = math.nan
    state: str = "pending"
    cause: str = "none"
    fate: str = "none"
    source: int = -1
    moved: float = 0.0
    priority: float = 1000.0
    replica: Replica | None = None
    flow: Flow | None = None


@dataclass(eq=False)
class Replica:
    site: int
    dataset: int
    size: float
    users: list[Job] = field(default_factory=list)
    there: bool = False


@dataclass(eq=False)
class Flow:
    job: Job
    source: int
    target: int
    link: float
    left: float
    since: float
    rate: float = 0.0
    version: int = 0

    def left_at(self, now: float) -> float:
        return max(0.0, self.left - self.rate * max(0.0, now - self.since))


@dataclass
class Site:
    number: int
    cores: int
    speed: float
    wide: int
    cap: float = math.inf
    quota: float = 0.0
    risk: float = 1.0
    others: int = 0
    dark: int = 0
    load: float = 0.0
    status: str = "up"
    outage: int = 0
    recent: float = 0.0
    staging: list[Job] = field(default_factory=list)
    queue: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    disk: list[Replica] = field(default_factory=list)

    def free(self) -> int:
        return self.cores - self.others - self.dark - sum(job.cores for job in self.running)

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
        ends = {"pred_run": "pred_end", "true_run": "end"}[run]
        left = sum(job.cores * (getattr(job, ends) - now) for job in self.running)
        return max(0.0, left) + sum(job.cores * length(job) for job in self.waiting())

    def wait(self, now: float, cores: int, run: str = "pred_run") -> float:
        if self.spare() >= cores:
            return 0.0
        return self.ahead(now, run) / max(1, self.cores - self.others)

    def used(self) -> float:
        return sum(replica.size for replica in self.disk)


class GridTwin:
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
        self._equip()
        self.flows: list[Flow] = []
        self.history: list[tuple[float, str, int, int, int, float]] = []
        self.jobs = [self._job(j) for j in range(len(episode))]
        self.stream, self.placed, self.left = len(self.jobs), [], []
        self.returning: list[Job] = []
        self.turn: list[Job] = []
        self.decided, self._decisions = 0, len(episode) - episode.warmup
        self.cursor, self.draining, self._serial, self._area = 0, False, 0, 0.0
        for site in self.sites:
            self._begin_load(site)
            self._next_turn(site, 0)
        for job in self.jobs:
            self._arrive(job, (5, 0, job.number), job.arrival)
        self._refresh(0)
        while self.cursor < episode.warmup:
            self._proceed(1)
            self._place(self.turn[0], self.sites[self._warm_site(self.turn[0])])
            self.cursor = max(self.cursor, self._after(self.turn[0]))
        self._proceed(min(settings.decisions, self._decisions))
        self._area = self._total_area()

    def step(self, actions: int | Sequence[int], data: Sequence[int] | None = None) -> None:
        asked = [actions] if isinstance(actions, int) else list(actions)
        self.left, self.outcomes, self.overrun = [], [], 0.0
        before = self._area
        for q, job in enumerate(self.turn):
            self.outcomes.append(self._decide(job, asked[q], data[q] if data else 0))
            self.decided += 1
            self.cursor = max(self.cursor, self._after(job))
        self.turn = []
        self._proceed(min(self.settings.decisions, self._decisions - self.decided))
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
        self.draining = True
        while self.returning or any(job.state in ALIVE for job in self.placed):
            self.env.step()
            if self.turn:
                job = self.turn.pop()
                self._place(job, self.sites[self._warm_site(job)])

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
        now, (time, origin) = self.env.now, self._stage_in(job, site)
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
        outcome["wan_bytes"] += job.size if origin not in (-1, site.number) else 0.0
        self._place(job, site)
        return outcome

    def _is_final(self, job: Job) -> bool:
        again = job.state in ("failed", "closed") and job.attempt < self.settings.attempts
        return not again

    def _total_area(self) -> float:
        """Time integral of the unfinished jobs so far, those not placed again yet left out."""
        now = self.env.now
        return sum((min(now, j.end) if j.state in FINAL else now) - j.since for j in self.placed)

    def _after(self, job: Job) -> int:
        return job.number + 1 if job.number < self.stream else 0

    def _note(
        self, kind: str, job: int = -1, site: int = -1, other: int = -1, size: float = 0.0
    ) -> None:
        self.history.append((self.env.now, kind, job, site, other, size))

    # Events: SimPy's queue orders by (time, priority, serial); here at exact times.

    def _at(self, time: float, priority: tuple[int, ...]) -> simpy.Event:
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        heapq.heappush(self.env._queue, (time, priority, next(self.env._eid), event))
        return event

    def _arrive(self, job: Job, priority: tuple[int, ...], time: float) -> None:
        def come(_: simpy.Event) -> None:
            if job in self.returning:
                self.returning.remove(job)
            elif self.draining:
                return
            if self.settings.staleness_s == 0.0:
                self._read()
            self.turn.append(job)
            self._note("arrival", job.number, -1, job.origin, job.size)

        self._at(time, priority).callbacks.append(come)

    def _proceed(self, wanted: int) -> None:
        self.turn = []
        while len(self.turn) < wanted:
            self.env.step()

    # A job's way through its states.

    def _place(self, job: Job, site: Site) -> None:
        now = self.env.now
        time, source = self._stage_in(job, site)
        job.site, job.placed = site.number, now
        job.source = source if source != site.number else -1
        job.moved = job.size if job.source >= 0 else 0.0
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
        if time > 0.0:
            job.state = "assigned"
            site.staging.append(job)
            self._limit(job, "assigned", 0)
            self._transfer(job, site, time, source)
        else:
            self._activate(site, job)

    def _transfer(self, job: Job, site: Site, time: float, source: int) -> None:
        if self.level == 0 or source == site.number:
            event = self._at(self.env.now + time, (2, job.number))
            event.callbacks.append(lambda _: self._staged(site, job))
            return
        delay, per_byte = self._lane(source, site.number)
        start = self.env.now + delay
        job.flow = Flow(job, source, site.number, 1.0 / per_byte, job.size, start)
        self.flows.append(job.flow)
        self._note("flow_start", job.number, site.number, source, job.size)
        self._share()

    def _staged(self, site: Site, job: Job) -> None:
        if job.state == "assigned":
            if job in site.staging:
                site.staging.remove(job)
            self._activate(site, job)

    def _activate(self, site: Site, job: Job) -> None:
        job.activation = self.env.now
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
        self._start(site)

    def _start(self, site: Site) -> None:
        while site.status != "down" and (job := self._next(site)) is not None:
            site.queue.remove(job)
            now, rules = self.env.now, self.settings
            run, job.fate = self._fate(site, job)
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
            early = now + site.pred_run(job) <= when
            if job.cores <= site.free() and (job.cores <= extra or early):
                return job
        return None

    def _fate(self, site: Site, job: Job) -> tuple[float, str]:
        rules, run, fate = self.settings, site.true_run(job), "none"
        if rules.failures is not None:
            one = rules.failures
            if job_uniform(job.key, job.attempt, 0) < min(one.most, job.hazard * site.risk):
                u = job_uniform(job.key, job.attempt, 1)
                if u < one.early:
                    run, fate = min(run, one.early_s), "early"
                else:
                    run, fate = run * ((u - one.early) / (1.0 - one.early)), "late"
        if rules.limits is not None and run > rules.limits.running_s:
            run, fate = rules.limits.running_s, "running_limit"
        return run, fate

    def _end(self, site: Site, job: Job) -> None:
        if job.state == "running":
            self._settle(site, job, "finished" if job.fate == "none" else "failed", job.fate)
            self._start(site)

    def _settle(self, site: Site, job: Job, state: str, cause: str) -> None:
        """A job leaves, whatever it was doing; what waits has yet to start."""
        for members in (site.staging, site.queue, site.running):
            if job in members:
                members.remove(job)
        if job.flow in self.flows:
            self._stop(job.flow)
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
                source=-1, moved=0.0, replica=None, flow=None,
            )  # fmt: skip
            self.jobs.append(again)
            self.returning.append(again)
            self._note("retry", again.number, site.number, job.number)
            self._arrive(again, (5, 1, again.number), again.arrival)

    def _withdraw(self, job: Job, state: str, cause: str) -> None:
        site = self.sites[job.site]
        self._settle(site, job, state, cause)
        self._start(site)

    def _limit(self, job: Job, state: str, order: int) -> None:
        if self.settings.limits is None:
            return
        self._serial += 1
        length = getattr(self.settings.limits, f"{state}_s")
        since = job.placed if state == "assigned" else job.activation

        def strike(_: simpy.Event) -> None:
            if job.state == state:
                self._withdraw(job, "closed", f"{state}_limit")

        self._at(since + length, (3, order, self._serial)).callbacks.append(strike)

    def _cancellation(self, job: Job) -> None:
        rules = self.settings.cancellations
        if rules is None or job.attempt > 1 or job_uniform(job.key, 1, 3) >= rules.share:
            return
        later = 2.0 * rules.mean_s * job_uniform(job.key, 1, 4)

        def strike(_: simpy.Event) -> None:
            if job.state in ALIVE:
                self._withdraw(job, "cancelled", "cancelled")

        self._at(self.env.now + later, (2, 2**40 + job.number)).callbacks.append(strike)

    def _defer(self, job: Job) -> None:
        self.returning.append(job)
        self._note("deferral", job.number)
        when = self.env.now + self.settings.defer_s
        self._arrive(job, (5, 1, job.number), when)

    # The network.

    def _lane(self, source: int, target: int) -> tuple[float, float]:
        """Start-up and s/byte; link figures are kept in single precision."""
        rate = float(self.platform.bandwidth_mbps[source, target]) * 1e6
        delay = 0.0 if math.isinf(rate) else float(self.platform.latency_s[source, target])
        return float(np.float32(delay)), float(np.float32(1.0 / rate))

    def _stop(self, flow: Flow) -> None:
        done = flow.job.moved - flow.left_at(self.env.now)
        self._note("flow_end", flow.job.number, flow.target, flow.source, done)
        self.flows.remove(flow)
        self._share()

    def _share(self) -> None:
        """Give every flow its rate; those whose rate changes end at another time."""
        rates = self._max_min() if self.level == 2 else self._endpoints()
        for flow, rate in zip(self.flows, rates, strict=True):
            if rate != flow.rate:
                now = self.env.now
                flow.left = flow.left_at(now)
                flow.since, flow.rate = max(now, flow.since), rate
                flow.version += 1
                self._expect(flow, flow.version)

    def _expect(self, flow: Flow, version: int) -> None:
        def finish(_: simpy.Event) -> None:
            if flow in self.flows and flow.version == version:
                self._stop(flow)
                self._staged(self.sites[flow.target], flow.job)

        event = self._at(flow.since + flow.left / flow.rate, (1, flow.job.number))
        event.callbacks.append(finish)

    def _endpoints(self) -> list[float]:
        rates = []
        for flow in self.flows:
            out = sum(other.source == flow.source for other in self.flows)
            into = sum(other.target == flow.target for other in self.flows)
            caps = self.sites[flow.source].cap / out, self.sites[flow.target].cap / into
            rates.append(min(flow.link, *caps))
        return rates

    def _max_min(self) -> list[float]:
        """Progressive filling: raise all rates together, fix those that meet a limit."""
        out = {site.number: site.cap for site in self.sites}
        into = dict(out)
        rates: dict[int, float] = {}
        while len(rates) < len(self.flows):
            open_ = [k for k in range(len(self.flows)) if k not in rates]
            limits = {}
            for k in open_:
                flow = self.flows[k]
                leave = sum(self.flows[i].source == flow.source for i in open_)
                come = sum(self.flows[i].target == flow.target for i in open_)
                limits[k] = min(flow.link, out[flow.source] / leave, into[flow.target] / come)
            level = min(limits.values())
            for k in open_:
                if limits[k] <= level:
                    rates[k] = level
                    flow = self.flows[k]
                    out[flow.source] = max(0.0, out[flow.source] - level)
                    into[flow.target] = max(0.0, into[flow.target] - level)
        return [rates[k] for k in range(len(self.flows))]

    # The disks.

    def _equip(self) -> None:
        rules, episode, self.overrun = self.settings, self.episode, 0.0
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
        """Sites that the job's input may be read from; none: it is at hand everywhere."""
        if job.size <= 0.0 or not job.held:
            return []
        if self.settings.storage is None:
            return job.held
        more = [s.number for s in self.sites if (r := self._replica(s, job.dataset)) and r.there]
        return job.held + more

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
        replica = self._replica(site, job.dataset)
        if replica is None:
            if site.number in job.held:
                return
            if not self._room(site, job.size):
                self.overrun += job.size
                return
            replica = Replica(site.number, job.dataset, job.size)
            self._note("replica_begun", -1, site.number, job.dataset, job.size)
        else:
            site.disk.remove(replica)
        site.disk.append(replica)
        replica.users.append(job)
        job.replica = replica

    def _release(self, job: Job) -> None:
        if job.replica is not None:
            job.replica.users.remove(job)
            if not job.replica.users and not job.replica.there:
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

    def _replicate(self, job: Job, site: Site) -> None:
        self._carriers = getattr(self, "_carriers", self.first_carrier - 1) + 1
        time, source = self._stage_in(job, site)
        copy = replace(
            job, number=self._carriers, cores=0, site=site.number, source=source, moved=job.size,
            state="assigned", replica=None, flow=None,
        )  # fmt: skip
        self._claim(copy, site)
        if time > 0.0:
            self._transfer(copy, site, time, source)
        else:
            self._activate(site, copy)

    # Outages.

    def _next_turn(self, site: Site, k: int) -> None:
        rules = self.settings.outages
        if rules is None:
            return
        mean = {"up": rules.up_s, "down": rules.down_s, "brown": rules.brown_s}[site.status]
        ln_stay = math.log1p(-1.0 / max(mean / rules.step_s, 1.0 + 1e-9))
        u = uniform(outage_bits(self.seed, site.number, k))
        site.back = self.env.now + rules.step_s * (1.0 + math.floor(math.log(1.0 - u) / ln_stay))
        event = self._at(site.back, (0, site.number, 2))
        event.callbacks.append(lambda _: self._turn(site, k + 1))

    def _turn(self, site: Site, k: int) -> None:
        rules = self.settings.outages
        was, site.status, site.dark, site.outage = site.status, "up", 0, k
        if was == "up":
            coin = uniform(splitmix(outage_bits(self.seed, site.number, k)))
            site.status = "brown" if coin < rules.brown else "down"
            site.dark = int(rules.brown_cores * site.cores) if site.status == "brown" else 0
        self._next_turn(site, k)
        limits = self.settings.limits
        if site.status == "down" and limits is not None:
            lost = self.env.now + limits.heartbeat_s
            if lost < site.back:
                event = self._at(lost, (0, site.number, 3))
                event.callbacks.append(lambda _: self._lose(site))
        usable = 0 if site.status == "down" else site.cores - site.dark
        self._note(f"site_{site.status}", -1, site.number, usable)
        self._start(site)

    def _lose(self, site: Site) -> None:
        for job in sorted(site.running, key=lambda j: (j.end, j.number)):
            self._settle(site, job, "failed", "heartbeat")
        self._start(site)

    # Competing load.

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
        site.others = self._level(site, 0.0, 0)
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
        site.others = self._level(site, self.env.now, k)
        self._note("competing_load", -1, site.number, site.others)
        self._start(site)
        self._next_change(site, k + 1)

    # Estimates.

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
        )  # fmt: skip

    def _stage_in(self, job: Job, site: Site) -> tuple[float, int]:
        found = []
        for r in self._holders(job):
            delay, per_byte = self._lane(r, site.number)
            found.append((delay + job.size * per_byte, r))
        return min(found, key=lambda pair: pair[0], default=(0.0, -1))

    def _slowdown(self, job: Job) -> float:
        site = self.sites[job.site]
        ideal = site.true_run(job) * site.speed / self._top_speed()
        return max(1.0, (job.end - job.born) / max(ideal, self.settings.bound_s))

    def _top_speed(self) -> float:
        return max(site.speed for site in self.sites)

    @property
    def first_carrier(self) -> int:
        return self.stream * self.settings.attempts

    def _mask(self, job: Job) -> list[bool]:
        fits = [site.cores >= job.cores for site in self.sites]
        online = [status != "down" for status in self.counters["status"]]
        both = [a and b for a, b in zip(fits, online, strict=True)]
        mask = both if any(both) else fits
        if self.settings.defer_s is not None:
            mask.append(self.env.now - job.arrival < self.settings.pending_s)
        if self.settings.replicate:
            mask += self._data_mask(job)
        return mask

    def _data_mask(self, job: Job) -> list[bool]:
        n = len(self.sites)
        if job.size <= 0.0 or not job.held:
            return [True] + [False] * (2 * n)
        bring, evict = [], []
        for site in self.sites:
            replica = self._replica(site, job.dataset)
            pinned = sum(r.size for r in site.disk if r.users)
            room = pinned + job.size <= site.quota
            bring.append(replica is None and site.number not in job.held and room)
            evict.append(replica is not None and replica.there and not replica.users)
        return [True, *bring, *evict]

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
        event = self._at(k * self.settings.staleness_s, (4,))
        event.callbacks.append(lambda _: (self._read(), self._refresh(k + 1)))

    def _read(self) -> None:
        now, self.own, self.read_at = self.env.now, [], self.env.now
        self.counters = {
            "free": [site.free() for site in self.sites],
            "running": [len(site.running) for site in self.sites],
            "status": [site.status for site in self.sites],
            "recent": [site.recent for site in self.sites],
            "disk": [site.quota - site.used() for site in self.sites],
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
        rules = self.settings
        if rules.failures or rules.outages or rules.limits:
            row["failure_rate"], row["online"] = seen["recent"], float(seen["status"] != "down")
        if rules.storage is not None:
            row["disk_free"] = seen["disk"] / 1e12
        if job is None:
            return row
        if seen["spare"] < job.cores:
            row["wait"] = max(0.0, seen["work"] / seen["left"] - (self.env.now - self.read_at))
        row["transfer"], row["run"] = self._stage_in(job, site)[0], site.pred_run(job)
        held = self._holders(job)
        row["local_share"] = float(s in held) if held else 1.0
        row["closeness"] = min(platform.closeness[r, s] for r in held) if held else 0.0
        return row

    def observation(self, q: int = 0) -> dict[str, np.ndarray]:
        """What is seen of job q of the turn, encoded in float64 from the observation's tables."""
        job = self.turn[q] if q < len(self.turn) else None
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
            "progress": self.decided / self._decisions,
        }  # fmt: skip
        of_job = {
            "cores": job.cores, "workload_pred": job.pred,
            "input_bytes": job.size, "input_files": job.files,
        } if job else {}  # fmt: skip
        actions = len(self.sites) + (self.settings.defer_s is not None)
        actions += 1 + 2 * len(self.sites) if self.settings.replicate else 0
        mask = [True] * actions if job is None else self._mask(job)
        return {
            "sites": np.stack([f.encode(np.array([r[f.name] for r in rows], dtype=float))
                               for f in SITE_FEATURES]),
            "job": np.array([f.encode(float(of_job.get(f.name, 0.0))) for f in JOB_FEATURES]),
            "grid": np.array([f.encode(float(grid[f.name])) for f in GRID_FEATURES]),
            "action_mask": np.array(mask, dtype=int),
        }  # fmt: skip
