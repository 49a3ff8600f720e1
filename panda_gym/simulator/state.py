"""The state of a batch of grids as records of arrays; knows names, units and sizes, no dynamics.

E grids, S sites, N jobs an episode, R rows of attempts, K jobs placed at once, F features, A
actions. Time is in seconds from the episode's start (float64), work in core seconds unless a name
says Gflop, data in bytes. Every random quantity is a draw of the episode or a hash of (episode
seed, site, k), so nothing depends on the order of events.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np

Array = np.ndarray

BLOCK: Final = 16
"""Sites whose earliest event shares one entry at the beginning of `World.events`."""

SITE_ROWS: Final = (
    "cores", "power", "free_cores", "running", "activated", "assigned", "queued_work",
    "wait", "transfer", "run", "local_share", "closeness", "disk_free", "failure_rate", "online",
)  # fmt: skip
"""Rows of the observation of the sites, in the order in which the kernel writes them."""

JOB_ROWS: Final = ("cores", "workload_pred", "input_bytes", "input_files")
GRID_ROWS: Final = (
    "counter_age", "free_share", "queued_share",
    "hour_sin", "hour_cos", "week_sin", "week_cos", "progress",
)  # fmt: skip

PLACE: Final = np.dtype(
    [
        ("cores", "i8"),
        ("speed", "f8"),  # Gflop/s per core, CPU efficiency included
        ("power", "f8"),  # HS23 per core
        ("disk_tb", "f8"),
        ("share", "f8"),  # mean share of the cores that others use
        ("first_run", "i8"),  # where the heap of its running jobs begins in `World.heap`
        ("by_cores", "i8"),  # the k-th entry: the site with the k-th most cores
        ("cumulative", "f8"),  # capacity (Gflop/s) summed in that order
    ],
    align=True,
)
"""What never changes about a site: 64 bytes."""

STATES: Final = (
    "pending", "assigned", "activated", "starting", "running",
    "finished", "failed", "closed", "cancelled",
)  # fmt: skip
"""States of a job attempt, by code. From `finished` on a state is final: a retry is a new row."""

PENDING, ASSIGNED, ACTIVATED, STARTING, RUNNING, FINISHED, FAILED, CLOSED, CANCELLED = range(9)

CAUSES: Final = (
    "none", "early", "late", "running_limit", "heartbeat", "assigned_limit", "activated_limit",
    "cancelled",
)  # fmt: skip
"""Why an attempt did not finish, by code."""

NO_CAUSE, EARLY, LATE, RUNNING_LIMIT, HEARTBEAT, ASSIGNED_LIMIT, ACTIVATED_LIMIT, BY_HAND = range(8)

KINDS: Final = (
    "arrival", "placement", "deferral", "activation", "cores_taken", "end", "retry",
    "flow_start", "flow_rate", "flow_end", "replica_begun", "replica_there", "replica_gone",
    "output", "site_up", "site_brown", "site_down", "competing_load", "refresh",
)  # fmt: skip
"""Kinds of events, by code; what each row holds stands in `panda_gym.simulator.log`."""

EVENT: Final = np.dtype(
    [
        ("time", "f8"),  # s
        ("bytes", "f8"),  # bytes, or B/s for flow_rate
        ("job", "i4"),  # row of the attempt, -1 none
        ("site", "i4"),  # where, -1 nowhere
        ("other", "i4"),  # depends on the kind, -1 nothing
        ("kind", "i4"),  # index of KINDS
    ],
    align=True,
)
"""One event of the log level "events": 32 bytes."""

ENTRY: Final = np.dtype([("time", "f8"), ("job", "i8")], align=True)
"""One entry of a heap: when something happens to a job."""

GRID: Final = np.dtype(
    [
        ("clock", "f8"),  # s, now
        ("refreshed", "f8"),  # s, when the counters were last refreshed
        ("clock_0", "f8"),  # s since Monday 00:00 UTC at time 0
        ("area", "f8"),  # job s: integral of the unfinished jobs since the last decision
        ("ended_gflop", "f8"),  # Gflop computed by the jobs ended since the last decision
        ("ended_ln", "f8"),  # their sum of ln(bounded slowdown)
        ("seen_free", "f8"),  # cores, sum over sites of the free counter
        ("seen_queued", "f8"),  # core s, sum over sites of the queued_work counter
        ("seed", "u8"),  # of the episode
        ("jobs", "i4"),  # N
        ("warmup", "i4"),  # the first so many are not the policy's
        ("cursor", "i4"),  # next job to be placed; N at the end
        ("agenda", "i4"),  # size of the agenda: stage-ins at a fixed rate, cancellations
        ("unfinished", "i4"),  # jobs that arrived and have not ended for good
        ("ended", "i4"),  # jobs ended for good since the last decision
        ("decided", "i4"),  # decisions made by the policy
        ("rows", "i4"),  # rows in use: the stream's jobs, then retries
        ("carriers", "i4"),  # rows in use for replications, from `Rules.first_carrier` on
        ("returning", "i4"),  # size of the heap of jobs that come back: retries, deferred ones
        ("flows", "i4"),  # transfers between sites under way: size of the heap of flows
        ("limit", "f8"),  # s, when the next time limit may strike; inf: none
        ("first_assigned", "i4"),  # front of the line of jobs assigned, -1 none
        ("last_assigned", "i4"),
        ("first_activated", "i4"),  # front of the line of jobs activated, -1 none
        ("last_activated", "i4"),
        ("datasets", "i4"),  # datasets of the episode
        ("unused", "i4"),  # first replica of the free ones, -1 none
        ("replicas", "i4"),  # replicas ever used at the same time
        ("next_site", "i4"),  # where the next event of a site was to be, when last looked for
        ("next_row", "i4"),  # the row that goes to the next dataset without one
        ("events", "i4"),  # events noted
        ("events_lost", "i4"),  # events that found no room
        ("wasted", "f8"),  # core s held in vain by attempts that left since the last decision
        ("closures", "i4"),  # attempts closed since then
        ("failures", "i4"),  # attempts failed since then
        ("overrun", "f8"),  # bytes that found no room at their site since then
        ("copied", "f8"),  # bytes that replications will move, asked for since then
    ],
    align=True,
)
"""One grid of the batch."""

SITE: Final = np.dtype(
    [
        ("run_pred", "f8"),  # core s: sum over running jobs of cores x predicted end
        ("run_true", "f8"),  # core s: the same of the true ends
        ("queue_pred", "f8"),  # core s: predicted work of jobs assigned or activated
        ("queue_true", "f8"),  # core s: the same, true
        ("load", "f8"),  # 1: state of the competing load's AR(1), variance 1
        ("change", "f8"),  # s: when the competing load changes next; inf: never
        ("changes", "i4"),  # how often it has changed
        ("free", "i4"),  # cores in nobody's use; below 0: owed to competing work
        ("used", "i4"),  # cores of running jobs
        ("others", "i4"),  # cores of competing work: free + used + others == cores
        ("widest", "i4"),  # cores that others always leave: those of the widest job that fits
        ("promised", "i4"),  # cores of jobs assigned or activated
        ("assigned", "i4"),  # jobs whose input is on its way
        ("activated", "i4"),  # jobs that wait for cores: length of the queue
        ("running", "i4"),  # jobs that run: size of the site's heap
        ("head", "i4"),  # first job of the queue, -1 none
        ("tail", "i4"),  # last job of the queue, -1 none
        ("dark", "i4"),  # cores that a brown-out has taken away
    ],
    align=True,
)
"""One site of one grid: 96 bytes; free + used + others + dark == cores."""

GATE: Final = np.dtype(
    [
        ("status", "i4"),  # UP, BROWN or DOWN
        ("turns", "i4"),  # how often it has changed
        ("risk", "f8"),  # factor of the site on a job's probability to fail
        ("recent", "f8"),  # recent share of attempts that did not finish
        ("turn", "f8"),  # s, when its status changes next; inf: never
        ("lost", "f8"),  # s, when its running jobs are given up; inf: not
    ],
    align=True,
)
"""Whether a site works: 40 bytes."""

UP, BROWN, DOWN = range(3)

SEEN: Final = np.dtype(
    [
        ("free", "f4"),  # cores
        ("activated", "f4"),
        ("assigned", "f4"),
        ("queued", "f4"),  # core s
        ("work", "f4"),  # core s, that of the running jobs included
        ("per_core", "f4"),  # 1 / cores that others leave
    ],
    align=True,
)
"""What the broker last saw of a site, beside what it has placed since: 24 bytes."""

STORE: Final = np.dtype(
    [
        ("quota", "f8"),  # bytes for secondary replicas and outputs
        ("used", "f8"),  # bytes of them
        ("pinned", "f8"),  # bytes of those in use by a job
        ("oldest", "i4"),  # replica used longest ago, -1 none
        ("newest", "i4"),  # replica used last, -1 none
        ("cap", "f8"),  # bytes/s that may leave, and as many that may come
        ("outgoing", "i4"),  # flows that leave
        ("incoming", "i4"),  # flows that come
        ("first_out", "i4"),  # one of the flows that leave, -1 none
        ("first_in", "i4"),  # one of the flows that come, -1 none
        ("spare_out", "f8"),  # scratch of max-min fairness, bytes/s
        ("spare_in", "f8"),
        ("open_out", "i4"),  # scratch: flows not yet fixed
        ("open_in", "i4"),
    ],
    align=True,
)
"""Disk and network of a site."""

REPLICA: Final = np.dtype(
    [
        ("bytes", "f8"),
        ("dataset", "i4"),  # -1: the output of a job
        ("pins", "i4"),  # jobs placed for it that have not left
        ("older", "i4"),  # the one used before it at its site, -1 none
        ("newer", "i4"),
        ("next", "i4"),  # next secondary replica of its dataset, or next free one
        ("site", "i2"),
        ("there", "i2"),  # 1 once it may be read
    ],
    align=True,
)
"""A secondary replica, or an output, what counts against a quota: 32 bytes."""

DATASET: Final = np.dtype(
    [
        ("bytes", "f8"),
        ("first", "i4"),  # a secondary replica of it, -1 none
        ("jobs", "i4"),  # its jobs placed and not ended
        ("primary", "i4", (3,)),  # sites that hold it for good, -1 none
        ("row", "i4"),  # in `World.soon` and `World.near`, -1 none
    ],
    align=True,
)
"""A dataset of the episode."""
JOB: Final = np.dtype(
    [
        ("arrival", "f8"),  # s
        ("workload_true", "f8"),  # Gflop
        ("workload_pred", "f8"),  # Gflop
        ("input_bytes", "f8"),
        ("noise", "f8"),  # factor on the run time
        ("place_u", "f8"),  # [0, 1)
        ("cores", "i4"),
        ("input_files", "i4"),
        ("dataset", "i4"),  # of the episode, -1 none
        ("others", "i4"),  # jobs of its user when it was placed, see `queues.user_priority`
    ],
    align=True,
)
"""What is given of a job: 64 bytes, one cache line."""

TRACK: Final = np.dtype(
    [
        ("activation", "f8"),  # s, when its input was there; nan before
        ("start", "f8"),  # s; nan before
        ("end", "f8"),  # s, set at the start; nan before
        ("pred_end", "f8"),  # s, start + predicted run time
        ("ln_slowdown", "f8"),  # ln of the bounded slowdown, set at the start
        ("output", "f8"),  # bytes that it will write at its site
        ("cores", "i4"),  # as in JOB, so that an end touches this record alone
        ("next", "i4"),  # the job behind it in its queue, -1 none
        ("replica", "i4"),  # which it pins, -1 none
        ("site", "i2"),  # where it was placed, -1 before
        ("state", "i1"),  # index of STATES; RUNNING from when it took its cores
        ("cause", "i1"),  # index of CAUSES: how it will leave
    ],
    align=True,
)
"""What happens to a job: 64 bytes, one cache line."""

ATTEMPT: Final = np.dtype(
    [
        ("born", "f8"),  # s, arrival of the first attempt
        ("placed", "f8"),  # s, when it was sent to its site; nan before
        ("taken", "f8"),  # s, when it took its cores; nan before
        ("moved", "f8"),  # bytes that its stage-in moved between sites
        ("hazard", "f8"),  # probability to fail at a site of risk 1
        ("key", "u8"),  # what its draws are hashes of
        ("origin", "i4"),  # row of the first attempt
        ("after_assigned", "i4"),  # the job assigned after it, -1 none
        ("after_activated", "i4"),  # the job activated after it, -1 none
        ("source", "i2"),  # where its input comes from; -1 local or none
        ("attempt", "i2"),  # 1, 2, ...
    ],
    align=True,
)
"""What the mechanisms beyond queues know of a job: 64 bytes, one cache line."""

FLOW: Final = np.dtype(
    [
        ("left", "f8"),  # bytes at `since`
        ("since", "f8"),  # s, from when on it has gone at `rate`
        ("rate", "f8"),  # bytes/s
        ("link", "f8"),  # bytes/s that its link allows
        ("share", "f8"),  # scratch of max-min fairness: bytes/s; below 0: not fixed yet
        ("place", "i4"),  # where in the heap of flows; -1: has ended
        ("source", "i2"),
        ("target", "i2"),
        ("out_before", "i4"),  # neighbours among the flows that leave its source, -1 none
        ("out_after", "i4"),
        ("in_before", "i4"),  # neighbours among the flows that come to its destination
        ("in_after", "i4"),
    ],
    align=True,
)
"""A transfer between two sites, by the row of the job it is for: 64 bytes."""

RULES: Final = np.dtype(
    [
        ("level", "i8"),  # of the links: 0, 1, 2
        ("storage", "i8"),  # 1: replicas come and go
        ("discipline", "i8"),  # index of DISCIPLINES
        ("failing", "i8"),  # 1: attempts may fail
        ("outages", "i8"),  # 1: sites may go down
        ("limits", "i8"),  # 1: PanDA's time limits hold
        ("attempts", "i8"),  # most of them a job
        ("decisions", "i8"),  # jobs placed at once
        ("defer", "i8"),  # 1: the last action of a job defers it
        ("replicate", "i8"),  # 1: actions on data
        ("events", "i8"),  # size of the buffer of events
        ("first_carrier", "i8"),  # first row of replications
        ("first_return", "i8"),  # where the heap of returns begins in `World.heap`
        ("early", "f8"),  # share of failures that come early
        ("early_s", "f8"),  # s, run until an early failure
        ("most", "f8"),  # greatest probability to fail
        ("retry_s", "f8"),  # s, from a failure to the arrival of the retry
        ("assigned_s", "f8"),  # s, limits
        ("activated_s", "f8"),
        ("running_s", "f8"),
        ("heartbeat_s", "f8"),
        ("cancelled", "f8"),  # share of jobs that are cancelled
        ("cancel_s", "f8"),  # s, mean time from placement to that
        ("pilot_s", "f8"),  # s, mean time from taking cores to the run
        ("step_s", "f8"),  # s, step of the Markov chain of outages
        ("stay_up", "f8"),  # ln of the probability to stay up for a step
        ("stay_down", "f8"),
        ("stay_brown", "f8"),
        ("brown", "f8"),  # share of the turns from up that are brown-outs
        ("brown_cores", "f8"),  # share of cores that a brown-out takes
        ("output", "f8"),  # bytes of output per byte of input
        ("defer_s", "f8"),  # s, after which a deferred job is back
        ("pending_s", "f8"),  # s, after which a job may be deferred no longer
    ],
    align=True,
)
"""The mechanisms beyond queues and competing load: one record, all 0 when off."""

DISCIPLINES: Final = ("fifo", "priority", "easy")
FIFO, PRIORITY, EASY = range(3)
OUTCOME: Final = np.dtype(
    [
        ("site", "i8"),  # where the job went
        ("illegal", "i8"),  # 1 where the action was not legal and the fallback was taken
        ("age", "f8"),  # s since the job's first attempt arrived
        ("wait_pred", "f8"),  # s, expected at the decision from the true counters
        ("wait_true", "f8"),  # s, the same with true instead of predicted workloads
        ("transfer", "f8"),  # s, stage-in time
        ("run_pred", "f8"),  # s, predicted run time
        ("run_true", "f8"),  # s, true run time
        ("ideal_pred", "f8"),  # s, predicted run time on the fastest core of the platform
        ("ideal_true", "f8"),  # s, true run time there
        ("wan_bytes", "f8"),  # bytes moved between sites for this job
        ("area", "f8"),  # job s: integral of the unfinished jobs until the next decision
        ("ended", "f8"),  # jobs ended until the next decision
        ("ended_gflop", "f8"),  # what they computed, their noise included, Gflop
        ("ended_ln", "f8"),  # their sum of ln(bounded slowdown)
        ("wasted_core_s", "f8"),  # held in vain by attempts that left until the next decision
        ("closures", "f8"),  # attempts closed until then
        ("failures", "f8"),  # attempts failed until then
        ("overrun_bytes", "f8"),  # that found no room at their site until then
        ("deferred", "i8"),  # 1 where the job was deferred
    ],
    align=True,
)
"""What one decision led to; rewards and costs are functions of it."""


SITE_SIZE: Final = 256
"""Bytes of what is known of one site: its SITE, GATE, SEEN and STORE."""
JOB_SIZE: Final = 192
"""Bytes of what is known of one job: its JOB, its TRACK, its ATTEMPT."""


class World(NamedTuple):
    """A batch of E grids on one platform: what the kernel reads and writes.

    `Annotated[Array, kind, n]`: of n dimensions, in C order. `Annotated[Array, kind, n, step]`: in
    each grid's memory, where its elements are `step` bytes apart, or as many as the field of that
    name says; 0: no more than they need. Compiled functions see a World through
    `panda_gym.simulator.address_table`, which reads this table.
    """

    # the platform and the settings
    places: Annotated[Array, PLACE, 1]  # PLACE[S]
    wide: Annotated[
        Array, "i4", 1
    ]  # int32[most cores + 1] sites that have so many cores, at least 1
    guide: Annotated[
        Array, "i4", 1
    ]  # int32[cells + 2] where to begin to look for a share of the capacity
    guide_cells: float  # cells of the guide / capacity of all sites
    lanes: Annotated[
        Array, "f4", 3
    ]  # float32[S, 3, S] from each source: s, s/byte, code of the closeness
    steps: Annotated[Array, "i1", 2]  # int8[S, S] closeness
    places32: Annotated[Array, "f4", 2]  # float32[2, S] cores, 1 / speed
    scales: Annotated[Array, "f4", 1]  # float32 of SITE_ROWS, then JOB_ROWS, then GRID_ROWS
    cycle: Annotated[Array, "f8", 1]  # float64[bins] factor on the competing load through the day
    tides: Annotated[Array, "f4", 2]  # float32[bins, 2] sine and cosine of a full turn
    staleness_s: float
    bound_s: float  # bound of the bounded slowdown
    top_speed: float  # Gflop/s of the fastest core
    interval_s: float  # between changes of a site's competing load; inf: none
    persistence: float  # of the competing load: AR(1) coefficient
    innovation: float  # sqrt(1 - memory^2)
    spread: float  # relative standard deviation of the competing load
    total_cores: float  # cores of all sites
    blocks: int  # blocks of sites in `events`
    first_staged: int  # where the agenda begins in `heap`
    rules: Annotated[Array, RULES, 1]  # RULES[1]
    trace: Annotated[
        Array, "f8", 2
    ]  # float64[T, S or 1] shares of the cores that others use; T 0: none
    # the state: each grid's part of it lies in one piece, its pieces `stride` bytes apart
    memory: Annotated[Array, "u1", 1]  # uint8[...] where all of it lies
    stride: int
    dataset_size: int  # bytes of what is known of one dataset
    grids: Annotated[Array, GRID, 1, 0]  # GRID[E]
    sites: Annotated[Array, SITE, 2, SITE_SIZE]  # SITE[E, S]
    gates: Annotated[Array, GATE, 2, SITE_SIZE]  # GATE[E, S]
    seen: Annotated[Array, SEEN, 2, SITE_SIZE]  # SEEN[E, S]
    stores: Annotated[Array, STORE, 2, SITE_SIZE]  # STORE[E, S]
    jobs: Annotated[Array, JOB, 2, JOB_SIZE]  # JOB[E, R]
    tracks: Annotated[Array, TRACK, 2, JOB_SIZE]  # TRACK[E, R]
    attempts: Annotated[Array, ATTEMPT, 2, JOB_SIZE]  # ATTEMPT[E, R]
    replicas: Annotated[Array, "i2", 3, 0]  # int16[E, N, 3], -1 none
    flows: Annotated[Array, FLOW, 2, 0]  # FLOW[E, R], or one at link level 0
    flow_heap: Annotated[Array, ENTRY, 2, 0]  # ENTRY[E, R], or one
    pool: Annotated[Array, REPLICA, 2, 0]  # REPLICA[E, P], or one without storage
    datasets: Annotated[Array, DATASET, 2, "dataset_size"]  # DATASET[E, D], or one
    holders: Annotated[
        Array, "u8", 4, "dataset_size"
    ]  # uint64[E, D, 3, words] bits of three sets of sites a dataset (`nearness`), or one
    owner: Annotated[Array, "i4", 2, 0]  # int32[E, K] dataset of each row of the two below, -1 none
    soon: Annotated[
        Array, "f4", 3, 0
    ]  # float32[E, K, at least S] s, least time to read the dataset at each site
    near: Annotated[Array, "i1", 3, 0]  # int8[E, K, at least S] its closeness to each site
    heap: Annotated[
        Array, ENTRY, 2, 0
    ]  # ENTRY[E, ...]: a heap of ends for each site, the agenda, the returns
    leaders: Annotated[Array, "i4", 2, 0]  # int32[E, blocks] whose event is each block's next
    events: Annotated[
        Array, "f8", 2, 0
    ]  # float64[E, blocks + blocks x BLOCK] next event of each block, site, s
    queue: Annotated[
        Array, "f4", 3, 0
    ]  # float32[E, 2, S] s of work ahead a core, and cores to spare, as seen
    log: Annotated[Array, EVENT, 2]  # EVENT[E, events]
    turn: Annotated[Array, "i4", 2]  # int32[E, K] rows of the jobs to be placed, -1 none
    # what is seen
    flat: Annotated[Array, "f4", 3]  # float32[E, K, F]: the observation: sites, job, grid
    mask: Annotated[Array, "i1", 3]  # int8[E, K, A]: sites, defer, actions on data
    outcome: Annotated[Array, OUTCOME, 2]  # OUTCOME[E, K]
