"""The state of a batch of grids as records of arrays; knows names, units and sizes, no dynamics.

E grids, S sites, N jobs an episode, F features. Time is in seconds from the episode's start
(float64), work in core seconds unless a name says Gflop, data in bytes. Every random quantity
is a draw of the episode or a hash of (episode seed, site, k), so nothing depends on the order
of events.
"""

from __future__ import annotations

from typing import Final, NamedTuple

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

SEEN_ROWS: Final = ("free", "activated", "assigned", "queued", "work", "spare", "per_core")
"""What the broker last saw of each site, beside what it placed since (`World.seen`)."""

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
        ("jobs", "i8"),  # N
        ("warmup", "i8"),  # the first so many are not the policy's
        ("cursor", "i8"),  # next job to be placed; N at the end
        ("staging", "i8"),  # jobs whose input is on its way: size of the staging heap
        ("unfinished", "i8"),  # jobs placed and not ended
        ("ended", "i8"),  # jobs ended since the last decision
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
    ],
    align=True,
)
"""One site of one grid: 96 bytes."""

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
        ("pad", "f8"),
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
        ("moved", "f8"),  # bytes that its stage-in moved between sites
        ("ln_slowdown", "f8"),  # ln of the bounded slowdown, set at the start
        ("next", "i4"),  # the job behind it in its queue, -1 none
        ("site", "i4"),  # where it was placed, -1 before
        ("cores", "i4"),  # as in JOB, so that an end touches this record alone
        ("pad", "i4"),
    ],
    align=True,
)
"""What has happened to a job: 64 bytes, one cache line."""

OUTCOME: Final = np.dtype(
    [
        ("site", "i8"),  # where the job went
        ("illegal", "i8"),  # 1 where the action was not legal and the fallback was taken
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
    ],
    align=True,
)
"""What one decision led to; rewards and costs are functions of it."""


class World(NamedTuple):
    """A batch of E grids on one platform: what the kernel reads and writes.

    Few arrays, because a compiled function is slow to call with many.
    """

    # the platform and the settings
    places: Array  # PLACE[S]
    lanes: Array  # float32[S, 3, S] from each source: s, s/byte, code of the closeness
    places32: Array  # float32[2, S] cores, 1 / speed
    scales: Array  # float32 of SITE_ROWS, then JOB_ROWS, then GRID_ROWS
    cycle: Array  # float64[bins] factor on the competing load through the day
    tides: Array  # float32[bins, 2] sine and cosine of a full turn
    staleness_s: float
    bound_s: float  # bound of the bounded slowdown
    top_speed: float  # Gflop/s of the fastest core
    interval_s: float  # between changes of a site's competing load; inf: none
    memory: float  # of the competing load: AR(1) coefficient
    innovation: float  # sqrt(1 - memory^2)
    spread: float  # relative standard deviation of the competing load
    total_cores: float  # cores of all sites
    blocks: int  # blocks of sites in `events`
    first_staged: int  # where the heap of stage-ins begins in `heap`
    # the state
    grids: Array  # GRID[E]
    sites: Array  # SITE[E, S]
    jobs: Array  # JOB[E, N]
    tracks: Array  # TRACK[E, N]
    replicas: Array  # int16[E, N, 3], -1 none
    heap: Array  # ENTRY[E, ...]: a heap of ends for each site, then one of stage-ins
    events: Array  # float64[E, blocks + blocks x BLOCK] next event of each block, each site, s
    # what is seen
    seen: Array  # float32[E, len(SEEN_ROWS), S]
    flat: Array  # float32[E, F]: the observation: sites, job, grid
    mask: Array  # int8[E, S]
    outcome: Array  # OUTCOME[E]
