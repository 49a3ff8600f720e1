"""One row a job attempt of an episode; knows what happened, not who decided it.

Level "jobs": `Simulator.log(e) -> EpisodeLog`, arrays of length n, one row an attempt. Rows
0 .. stream - 1 are the jobs of the stream in order of arrival; retries follow in the order in
which they came about. Only jobs that have arrived are in it. With every mechanism off, all rows
are first attempts and `state` ends as "finished".

    origin       int32    row of the job's first attempt (its own row for a first attempt)
    attempt      int8     1, 2, 3
    arrival_s    float64  this attempt's arrival; for a retry: failure + retry delay
    placed_s     float64  when it was sent to its site (later than arrival where it was deferred)
    activation_s float64  its input was there: it joined the queue
    starting_s   float64  it took its cores; the pilot starts
    start_s      float64  it runs (starting_s + pilot delay)
    end_s        float64  it left in its last state; known from starting_s on, so it may be > now_s
    site         int32    -1: not placed
    source       int16    site its input came from; -1 local, or none
    state_code   int8     index of STATES as at now_s
    cause        int8     index of CAUSES: why it did not finish
    cores, input_bytes, moved_bytes, workload_true, workload_pred, ideal_s   as before
    wasted_s     float64  core s that an attempt which did not finish had held
    priority     float64  PanDA's user priority at placement (1000 where the queue has none)

Times are s from the episode's start, nan where the attempt never came to that state.

Level "events": `Simulator.events(e) -> EVENT[m]` (`panda_gym.simulator.state.EVENT`: time f8,
bytes f8, job i4, site i4, other i4, kind i4; 32 bytes), in order of time, kept when
`Settings(events=m)` gives the buffer's size; `Simulator.events_lost(e)` counts those that came
after it was full (they are dropped, the first m stay). `kind` indexes KINDS:

    kind            job      site         other              bytes
    arrival         attempt  -1           attempt's origin   input
    placement       attempt  destination  source, -1 local   moved by its stage-in
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
    competing_load  -1       site         cores of others    0
    refresh         -1       -1           -1                 0

`flow_*` come at link levels 1 and 2 for inputs from other sites; `dataset` is the episode's own
number, `Simulator.datasets(e)` has the stream's. A flow of a replication asked for by a
DataPlacement action has a row of its own (state "assigned", then "finished"), cores 0, which
`EpisodeLog` leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.simulator.state import World


@dataclass(frozen=True, eq=False)
class EpisodeLog:
    """n jobs in order of arrival. Times are s from the episode's start, nan: not yet."""

    now_s: float
    """Time of the log, s; what lies later is known already but has not happened."""
    warmup: int
    """The first so many jobs were placed by the warm start, not by the policy."""
    bound_s: float
    """Bound of the bounded slowdown, s."""
    arrival_s: np.ndarray
    """float64[n]"""
    site: np.ndarray
    """Where the job was placed, int32[n]; -1: not yet."""
    activation_s: np.ndarray
    """When its input was there and it joined the queue, float64[n]."""
    start_s: np.ndarray
    """When it took its cores, float64[n]."""
    end_s: np.ndarray
    """When it gives them back, float64[n]."""
    cores: np.ndarray
    """int32[n]"""
    input_bytes: np.ndarray
    """float64[n]"""
    moved_bytes: np.ndarray
    """Bytes that its stage-in moved between sites, float64[n]."""
    workload_true: np.ndarray
    """Gflop, float64[n]"""
    workload_pred: np.ndarray
    """Gflop, float64[n]"""
    ideal_s: np.ndarray
    """Run time on the fastest core of the platform, float64[n]."""

    def __len__(self) -> int:
        return len(self.arrival_s)

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

        Feitelson et al. (JSSPP 1997) divide by the run time on the one machine there is. Among
        sites of unlike speed that would praise a policy for choosing slow ones, so the job is
        compared with its run on the fastest core.
        """
        return np.maximum(1.0, self.turnaround_s / np.maximum(self.ideal_s, self.bound_s))

    @property
    def state(self) -> np.ndarray:
        """What each job is in at `now_s`: pending, assigned, activated, running, finished."""
        state = np.full(len(self), "pending", dtype="<U9")
        state[self.site >= 0] = "assigned"
        state[self.activation_s <= self.now_s] = "activated"
        state[self.start_s <= self.now_s] = "running"
        state[self.end_s <= self.now_s] = "finished"
        return state

    def columns(self) -> dict[str, np.ndarray]:
        """The log as named arrays of length n, derived ones included."""
        names = (
            "arrival_s", "site", "activation_s", "start_s", "end_s", "cores", "input_bytes",
            "moved_bytes", "workload_true", "workload_pred", "ideal_s", "run_s", "wait_s",
            "queue_s", "turnaround_s", "bounded_slowdown", "state",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def episode_log(w: World, e: int, bound_s: float) -> EpisodeLog:
    """Copy the log of grid e out of the state."""
    n = int(w.grids[e]["jobs"])
    jobs, tracks = w.jobs[e, :n], w.tracks[e, :n]
    run = tracks["end"] - tracks["start"]
    speed = w.places["speed"][tracks["site"]]  # of a job not yet placed: nan times anything
    return EpisodeLog(
        now_s=float(w.grids[e]["clock"]),
        warmup=int(w.grids[e]["warmup"]),
        bound_s=bound_s,
        arrival_s=jobs["arrival"].copy(),
        site=tracks["site"].copy(),
        activation_s=tracks["activation"].copy(),
        start_s=tracks["start"].copy(),
        end_s=tracks["end"].copy(),
        cores=jobs["cores"].copy(),
        input_bytes=jobs["input_bytes"].copy(),
        moved_bytes=tracks["moved"].copy(),
        workload_true=jobs["workload_true"].copy(),
        workload_pred=jobs["workload_pred"].copy(),
        ideal_s=run * speed / w.top_speed,
    )
