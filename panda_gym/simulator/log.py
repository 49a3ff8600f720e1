"""The log of an episode: one row per job attempt.

Level "jobs": `Simulator.log(e) -> EpisodeLog`, arrays of length n, one row an attempt. Rows
0 .. stream - 1 are the jobs of the stream in order of arrival; retries follow in the order in
which they were created; a retry that was never placed stays "pending", and so do jobs of the
stream that the policy's decisions did not reach. With every mechanism off, all rows are first
attempts and `state` ends as "finished".

    origin       int32    row of the job's first attempt (its own row for a first attempt)
    attempt      int8     1, 2, 3
    arrival_s    float64  this attempt's arrival; for a retry: failure + retry delay
    placed_s     float64  when it was sent to its site (later than arrival where it was deferred)
    activation_s float64  its input was complete: it joined the queue
    starting_s   float64  it took its cores; the pilot starts
    start_s      float64  it runs (starting_s + pilot delay)
    end_s        float64  it reached its final state; known from starting_s on, so it may be > now_s
    site         int32    -1: not placed
    source       int16    site its input came from; -1 local, or none
    moved_bytes  float64  moved between sites by the transfer that it began; 0 if it joined one
    state_code   int8     index of STATES as at now_s
    cause        int8     index of CAUSES: why it did not finish
    cores, input_bytes, workload_true, workload_pred, ideal_s   see `EpisodeLog`
    wasted_s     float64  core s that an attempt which did not finish had held
    energy_kwh   float64  of the cores that it holds until `end_s`; 0 if it never took any
    carbon_kg    float64  emissions of that energy, kg CO2e; see `panda_gym.sites.energy`
    priority     float64  PanDA's user priority at placement (1000 where the queue has none)
    project      int16    index of the stream's levels["project"]; -1: not known

Times are s from the episode's start, nan where the attempt never came to that state.

Level "events": `Simulator.events(e) -> EVENT[m]` (`panda_gym.simulator.state.EVENT`: time f8,
bytes f8, job i4, site i4, other i4, kind i4; 32 bytes), in order of time, kept when
`Settings(events=m)` gives the buffer's size; `Simulator.events_lost(e)` counts those that came
after it was full (they are dropped). `kind` indexes KINDS:

    kind            job      site         other              bytes
    arrival         attempt  -1           attempt's origin   input
    placement       attempt  destination  source, -1 local   to be moved; 0 if it joins a transfer
    deferral        attempt  -1           -1                 0
    activation      attempt  site         -1                 0
    cores_taken     attempt  site         cores              0
    end             attempt  site         state code         0
    retry           new row  site failed  failed row         0
    flow_start      attempt  destination  source             to be moved
    flow_rate       attempt  destination  source             new rate, B/s
    flow_end        attempt  destination  source             moved (less than asked if cut off)
    replica_begun   -1       site         dataset            reserved
    replica_there   -1       site         dataset            its size
    replica_gone    -1       site         dataset, -1 output its size
    output          attempt  site         -1                 written (0 where no room was left)
    site_up         -1       site         usable cores       0
    site_brown      -1       site         usable cores       0
    site_down       -1       site         0                  0
    competing_load  -1       site         competing cores    0
    refresh         -1       -1           -1                 0

`flow_*` come at link levels 1 and 2 for inputs from other sites; `dataset` is the episode's own
number, `Simulator.datasets(e)` has the stream's. A flow of a replication asked for by a
DataPlacement action has a row of its own (state "assigned", then "finished"), cores 0, which
`EpisodeLog` leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from panda_gym.simulator.queues import user_priority
from panda_gym.simulator.state import (
    ASSIGNED,
    BLACK_HOLE,
    CANCELLED,
    CLOSED,
    FAILED,
    FINISHED,
    NO_CAUSE,
    RUNNING,
    STARTING,
    STATES,
    World,
)
from panda_gym.sites import Electricity


@dataclass(frozen=True, eq=False)
class EpisodeLog:
    """n attempts: the stream's jobs in order of arrival, then retries in order of creation.

    Times are s from the episode's start, nan: not yet.
    """

    now_s: float
    """Time of the log, s; entries later than this have not happened yet."""
    warmup: int
    """The first so many jobs were placed by the warm start, not by the policy."""
    bound_s: float
    """Bound of the bounded slowdown, s."""
    arrival_s: np.ndarray
    """float64[n]"""
    site: np.ndarray
    """Where the job was placed, int32[n]; -1: not yet."""
    activation_s: np.ndarray
    """When its input was complete and it joined the queue, float64[n]."""
    start_s: np.ndarray
    """When it took its cores, float64[n]."""
    end_s: np.ndarray
    """When it releases them, float64[n]."""
    cores: np.ndarray
    """int32[n]"""
    input_bytes: np.ndarray
    """float64[n]"""
    moved_bytes: np.ndarray
    """Bytes that its stage-in has moved between sites, float64[n].

    A transfer that was cut off, or still goes on, counts as far as it came. It counts for the
    attempt that began it, even if that has left and others wait for it. An attempt that joined a
    transfer moved none.
    """
    workload_true: np.ndarray
    """Gflop, float64[n]"""
    workload_pred: np.ndarray
    """Gflop, float64[n]"""
    ideal_s: np.ndarray
    """Whole run time on the fastest core of the platform, float64[n]."""
    origin: np.ndarray
    """Row of the job's first attempt, int32[n]."""
    attempt: np.ndarray
    """1 for a first attempt, int8[n]."""
    placed_s: np.ndarray
    """When it was sent to its site, float64[n]."""
    starting_s: np.ndarray
    """When it took its cores, float64[n]; `start_s` comes after the pilot's delay."""
    source: np.ndarray
    """Site that its input came from, int16[n]; -1 local, or none."""
    state_code: np.ndarray
    """Index of STATES at `now_s`, int8[n]."""
    cause: np.ndarray
    """Index of CAUSES: why it did not finish, int8[n]; 0 for one that has not left."""
    wasted_s: np.ndarray
    """Core s held by an attempt that did not finish, float64[n]."""
    priority: np.ndarray
    """PanDA's user priority at the placement, float64[n]."""
    project: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int16))
    """Project of the job, int16[n], index of the stream's `levels["project"]`; -1: not known."""
    replicated_bytes: np.ndarray | float = 0.0
    """Bytes that replications have moved for the job, at its first attempt, float64[n]."""
    judged_jobs: int | None = None
    """Jobs after the warm start that are judged; None: all that the policy placed."""
    energy_kwh: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Energy of the cores that it holds until `end_s`, float64[n], kWh; nan in older files."""
    carbon_kg: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Emissions of that energy, float64[n], kg CO2e; nan in older files."""

    def __post_init__(self) -> None:
        if len(self.project) != len(self.arrival_s):  # a log file of 0.1 has no projects
            object.__setattr__(self, "project", np.full(len(self.arrival_s), -1, np.int16))
        for name in ("energy_kwh", "carbon_kg"):  # nor has it these
            if len(getattr(self, name)) != len(self.arrival_s):
                object.__setattr__(self, name, np.full(len(self.arrival_s), np.nan))

    def __len__(self) -> int:
        return len(self.arrival_s)

    @property
    def judged(self) -> np.ndarray:
        """Whether the row is the first attempt of a judged job, bool[n].

        Judged are the jobs after the warm start that the policy placed, up to `judged_jobs`.
        """
        rows = np.arange(len(self))
        last = len(self) if self.judged_jobs is None else self.warmup + self.judged_jobs
        return (self.attempt == 1) & (rows >= self.warmup) & (rows < last) & (self.site >= 0)

    def at_black_hole(self) -> np.ndarray:
        """Return whether an attempt was placed at the black hole (`Failures`), bool[n].

        A log tells it by an attempt that failed there for that reason; without one it has none.
        """
        return np.isin(self.site, np.unique(self.site[self.cause == BLACK_HOLE]))

    @property
    def run_s(self) -> np.ndarray:
        """Run time, float64[n]."""
        return self.end_s - self.start_s

    @property
    def wait_s(self) -> np.ndarray:
        """From arrival to start, stage-in included, float64[n]."""
        return self.start_s - self.arrival_s

    @property
    def queue_s(self) -> np.ndarray:
        """From activation to start, float64[n]."""
        return self.start_s - self.activation_s

    @property
    def turnaround_s(self) -> np.ndarray:
        """From arrival to end, float64[n]."""
        return self.end_s - self.arrival_s

    @property
    def bounded_slowdown(self) -> np.ndarray:
        """max(1, turnaround / max(ideal, bound)), float64[n].

        Feitelson et al. (JSSPP 1997) divide by the run time on a single machine. Among sites of
        unequal speed that would reward slow sites, so the divisor is the run time on the fastest
        core.
        """
        return np.maximum(1.0, self.turnaround_s / np.maximum(self.ideal_s, self.bound_s))

    @property
    def state(self) -> np.ndarray:
        """The state of each attempt at `now_s`, by name: one of STATES."""
        return np.array(STATES)[self.state_code]

    def columns(self) -> dict[str, np.ndarray]:
        """The log as named arrays of length n, derived ones included."""
        names = (
            "arrival_s", "site", "activation_s", "start_s", "end_s", "cores", "input_bytes",
            "moved_bytes", "workload_true", "workload_pred", "ideal_s", "run_s", "wait_s",
            "queue_s", "turnaround_s", "bounded_slowdown", "state", "origin", "attempt",
            "placed_s", "starting_s", "source", "state_code", "cause", "wasted_s", "priority",
            "project", "energy_kwh", "carbon_kg",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def episode_log(
    w: World, e: int, bound_s: float, projects: np.ndarray, electricity: Electricity
) -> EpisodeLog:
    """Copy the log of grid e from the state; projects: of the stream's jobs, int16[jobs]."""
    n, now = int(w.grids[e]["rows"]), float(w.grids[e]["clock"])
    jobs, job_states, attempts = w.jobs[e, :n], w.job_states[e, :n], w.attempts[e, :n]
    run = job_states["end"] - job_states["start"]
    speed = w.site_static["speed"][job_states["site"]]  # -1: not placed, times nan
    whole = jobs["workload_true"] / (jobs["cores"] * w.top_speed) * jobs["noise"]
    state = _states(job_states, now)
    left = state >= FINISHED
    lost = np.isin(state, (FAILED, CLOSED, CANCELLED)) & (attempts["starting"] <= job_states["end"])
    return EpisodeLog(
        now_s=now,
        warmup=int(w.grids[e]["warmup"]),
        bound_s=bound_s,
        arrival_s=jobs["arrival"].copy(),
        site=job_states["site"].astype(np.int32),
        activation_s=job_states["activation"].copy(),
        start_s=job_states["start"].copy(),
        end_s=job_states["end"].copy(),
        cores=jobs["cores"].copy(),
        input_bytes=jobs["input_bytes"].copy(),
        moved_bytes=_moved(w, e, np.arange(n)),
        replicated_bytes=_replicated(w, e, n),
        workload_true=jobs["workload_true"].copy(),
        workload_pred=jobs["workload_pred"].copy(),
        ideal_s=np.where(job_states["cause"] == NO_CAUSE, run * speed / w.top_speed, whole),
        origin=attempts["origin"].copy(),
        attempt=attempts["attempt"].astype(np.int8),
        placed_s=attempts["placed"].copy(),
        starting_s=attempts["starting"].copy(),
        source=attempts["source"].astype(np.int16),
        state_code=state,
        cause=np.where(left, job_states["cause"], NO_CAUSE).astype(np.int8),
        wasted_s=np.where(lost, jobs["cores"] * (job_states["end"] - attempts["starting"]), 0.0),
        priority=user_priority(jobs["user_jobs"]),
        project=projects[attempts["origin"]],
        judged_jobs=int(w.grids[e]["judged"] - w.grids[e]["warmup"]),
        **_consumed(w, e, n, electricity),
    )


def _consumed(w: World, e: int, n: int, electricity: Electricity) -> dict[str, np.ndarray]:
    """Energy and emissions of the first n rows, each float64[n]; 0 where no cores were held."""
    start, end = w.attempts[e, :n]["starting"], w.job_states[e, :n]["end"]
    site, cores = w.job_states[e, :n]["site"], w.jobs[e, :n]["cores"]
    held, midnight = start <= end, float(w.grids[e]["clock_0"])
    start, end = np.where(held, start, 0.0), np.where(held, end, 0.0)
    return {
        "energy_kwh": electricity.energy_kwh(site, cores, end - start),
        "carbon_kg": electricity.carbon_kg(site, cores, midnight + start, midnight + end),
    }


def _moved(w: World, e: int, rows: np.ndarray) -> np.ndarray:
    """Bytes that the stage-ins of these rows have moved between sites up to now, float64."""
    states, attempts, now = w.job_states[e, rows], w.attempts[e, rows], w.grids[e]["clock"]
    moved = attempts["moved_bytes"].copy()
    begun = (states["state"] == ASSIGNED) | np.isin(rows, _carriers(w, e))
    going = np.flatnonzero(begun & (moved > 0.0))
    if w.rules[0]["level"] > 0:
        flows = w.flows[e, rows[going]]
        left = flows["left"] - flows["rate"] * np.maximum(0.0, now - flows["since"])
        moved[going] -= np.maximum(0.0, left)
        return moved
    source, site = attempts["source"][going], states["site"][going]
    elapsed = now - attempts["placed"][going] - w.links[source, 0, site]
    so_far = np.maximum(0.0, elapsed / w.links[source, 1, site])
    moved[going] = np.minimum(moved[going], so_far)
    return moved


def _carriers(w: World, e: int) -> np.ndarray:
    """Rows whose transfers bring a replica now, some of which may have left, int32."""
    replicas = int(w.grids[e]["replicas"]) if w.rules[0]["storage"] > 0 else 0
    return w.transfers["carrier"][e, :replicas]


def _replicated(w: World, e: int, n: int) -> np.ndarray:
    """Bytes that replications have moved for each job, at its first row, float64[n]."""
    first, found = int(w.rules[0]["first_replication"]), np.zeros(n)
    rows = first + np.arange(int(w.grids[e]["replications"]))
    np.add.at(found, w.attempts[e, rows]["origin"], _moved(w, e, rows))
    return found


def _states(job_states: np.ndarray, now: float) -> np.ndarray:
    """Index of STATES at `now`, int8[n]; tells "starting" (before the pilot) from "running"."""
    state = job_states["state"].astype(np.int8)
    state[(state == RUNNING) & ~(job_states["start"] <= now)] = STARTING
    return state
