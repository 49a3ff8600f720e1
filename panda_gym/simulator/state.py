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
"""Sites whose earliest event shares one entry of `World.block_event`."""

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

GRID: Final = np.dtype(
    [
        ("clock", "f8"),  # s, now
        ("refreshed", "f8"),  # s, when the counters were last refreshed
        ("clock_0", "f8"),  # s since Monday 00:00 UTC at time 0
        ("area", "f8"),  # job s: integral of the unfinished jobs since the last decision
        ("ended_gflop", "f8"),  # Gflop of the jobs ended since the last decision
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
        ("changes", "i8"),  # how often it has changed
        ("free", "i8"),  # cores in nobody's use; below 0: owed to competing work
        ("used", "i8"),  # cores of running jobs
        ("others", "i8"),  # cores of competing work: free + used + others == cores
        ("promised", "i8"),  # cores of jobs assigned or activated
        ("assigned", "i8"),  # jobs whose input is on its way
        ("activated", "i8"),  # jobs that wait for cores: length of the queue
        ("running", "i8"),  # jobs that run: size of the site's heap
        ("head", "i8"),  # first job of the queue, -1 none
        ("tail", "i8"),  # last job of the queue, -1 none
    ],
    align=True,
)
"""One site of one grid: 128 bytes, two cache lines."""

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
    ],
    align=True,
)
"""What is given of a job, one cache line or less."""

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
    ],
    align=True,
)
"""What has happened to a job: 56 bytes."""

OUTCOME: Final = np.dtype(
    [
        ("site", "i8"),  # where the job went
        ("illegal", "i8"),  # 1 where the action was not legal and the fallback was taken
        ("wait_pred", "f8"),  # s, expected at the decision from the true counters
        ("wait_true", "f8"),  # s, the same with true instead of predicted workloads
        ("transfer", "f8"),  # s, stage-in time
        ("run_pred", "f8"),  # s, predicted run time
        ("run_true", "f8"),  # s, true run time
        ("wan_bytes", "f8"),  # bytes moved between sites for this job
        ("area", "f8"),  # job s: integral of the unfinished jobs until the next decision
        ("ended", "f8"),  # jobs ended until the next decision
        ("ended_gflop", "f8"),  # their work, Gflop
        ("ended_ln", "f8"),  # their sum of ln(bounded slowdown)
    ],
    align=True,
)
"""What one decision led to; rewards and costs are functions of it."""


class World(NamedTuple):
    """A batch of E grids on one platform: what the kernels read and write."""

    # the platform
    cores: Array  # int64[S]
    speed: Array  # float64[S] Gflop/s per core, CPU efficiency included
    power: Array  # float64[S] HS23 per core
    delay: Array  # float64[S, S] s, start-up of a transfer [source, destination]
    per_byte: Array  # float64[S, S] s/byte, 0 where reading is free
    closeness: Array  # float32[S, S] 0..11
    disk_tb: Array  # float64[S]
    by_cores: Array  # int64[S] sites from the most cores to the fewest
    cumulative: Array  # float64[S] capacity (Gflop/s) summed in that order
    # constants
    staleness_s: float
    bound_s: float  # bound of the bounded slowdown
    interval_s: float  # between changes of a site's competing load; inf: none
    memory: float  # AR(1) coefficient
    spread: float  # relative standard deviation of the competing load
    share: Array  # float64[S] mean share of the cores that others use
    cycle: Array  # float64[bins] factor on it through the day
    site_scale: Array  # float32[len(SITE_ROWS)]
    job_scale: Array  # float32[len(JOB_ROWS)]
    grid_scale: Array  # float32[len(GRID_ROWS)]
    tides: Array  # float32[bins, 2] sine and cosine of a full turn
    total_cores: float  # cores of all sites
    # float32 copies for what is computed for all sites at each decision
    cores32: Array  # float32[S]
    per_gflop32: Array  # float32[S] 1 / speed
    delay32: Array  # float32[S, S]
    per_byte32: Array  # float32[S, S]
    # the state
    grids: Array  # GRID[E]
    sites: Array  # SITE[E, S]
    jobs: Array  # JOB[E, N]
    tracks: Array  # TRACK[E, N]
    replicas: Array  # int16[E, N, 3], -1 none
    widest: Array  # int64[E, S] cores left to the broker: of the widest job that fits
    first_run: Array  # int64[S + 1] where each site's heap of running jobs begins
    run_end: Array  # float64[E, first_run[-1]] heaps of ends, s
    run_job: Array  # int32[E, first_run[-1]]
    stage_end: Array  # float64[E, N] heap of ends of stage-in, s
    stage_job: Array  # int32[E, N]
    site_event: Array  # float64[E, S padded to blocks] next end or change at the site, s
    block_event: Array  # float64[E, blocks] the least of each block
    # what is seen
    seen: Array  # float32[E, len(SEEN_ROWS), S]
    flat: Array  # float32[E, F]: sites, job, grid, flat
    mask: Array  # int8[E, S]
    outcome: Array  # OUTCOME[E]
