"""Jobs, sites, replicas and flows, as plain objects with lists."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

STATES = (
    "pending", "assigned", "activated", "starting", "running",
    "finished", "failed", "closed", "cancelled",
)  # fmt: skip
ALIVE, FINAL = STATES[1:5], STATES[5:]


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
    requested: float = 0.0
    reserved: float | None = None
    site: int = -1
    placed: float = math.nan
    activation: float = math.nan
    taken: float = math.nan
    start: float = math.nan
    end: float = math.nan
    pred_end: float = math.nan
    state: str = "pending"
    cause: str = "none"
    failure: str = "none"
    source: int = -1
    moved: float = 0.0
    priority: float = 1000.0
    replica: Replica | None = None
    flow: Flow | None = None
    expected: float = math.nan


@dataclass(eq=False)
class Replica:
    site: int
    dataset: int
    size: float
    users: list[Job] = field(default_factory=list)
    there: bool = False
    carrier: Job | None = None
    born: int = 0


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
    competing_cores: int = 0
    offline_cores: int = 0
    load: float = 0.0
    status: str = "up"
    outage: int = 0
    recent: float = 0.0
    staging: list[Job] = field(default_factory=list)
    queue: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    disk: list[Replica] = field(default_factory=list)
    passing: list[Replica] = field(default_factory=list)

    def free(self) -> int:
        used = sum(job.cores for job in self.running)
        return self.cores - self.competing_cores - self.offline_cores - used

    def pred_run(self, job: Job) -> float:
        return job.pred / (job.cores * self.speed)

    def requested_run(self, job: Job, factor: float) -> float:
        if job.requested > 0.0:
            return job.requested
        return factor * self.pred_run(job) if factor > 0.0 else math.inf

    def estimate(self, job: Job, factor: float) -> float:
        requested = self.requested_run(job, factor)
        return self.pred_run(job) if requested == math.inf else requested

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
        return self.ahead(now, run) / max(1, self.cores - self.competing_cores)

    def used(self) -> float:
        return sum(replica.size for replica in self.disk)
