"""What the broker sees: counters as old as the last refresh, beside what it has placed since.

Writes the observation; knows no action and no reward. Features are encoded by fixed constants:
x / scale or x / (x + scale), as the tables of the observation say.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.simulator.compiled import inner
from panda_gym.simulator.placement import stage_in
from panda_gym.simulator.state import GRID_ROWS, JOB_ROWS, SEEN_ROWS, SITE_ROWS

CORES, POWER, FREE, RUNNING, ACTIVATED, ASSIGNED, QUEUED = range(7)
WAIT, TRANSFER, RUN, LOCAL, CLOSENESS, DISK, FAILURES, ONLINE = range(7, 15)
SEEN_FREE, SEEN_ACTIVATED, SEEN_ASSIGNED, SEEN_QUEUED, SEEN_WORK, SEEN_SPARE, SEEN_PER_CORE = range(
    len(SEEN_ROWS)
)
N_SITE, N_JOB, N_GRID = len(SITE_ROWS), len(JOB_ROWS), len(GRID_ROWS)
ZERO: Final = np.float32(0.0)
TIDE_S: Final = np.array([86400.0, 604800.0])


@inner
def ratio(value: float, scale: float) -> float:
    """x / (x + scale): [0, inf) to [0, 1)."""
    return value / (value + scale)


@inner
def write_constants(w: Any, e: int) -> None:
    """Write the rows of the observation that stay the same for the whole episode."""
    n, scale, view = len(w.cores), w.site_scale, w.flat[e]
    for s in range(n):
        view[CORES * n + s] = ratio(w.cores32[s], scale[CORES])
        view[POWER * n + s] = w.power[s] / scale[POWER]
        view[DISK * n + s] = ratio(w.disk_tb[s], scale[DISK])
        view[FAILURES * n + s] = ZERO
        view[ONLINE * n + s] = 1.0


@inner
def write_counters(w: Any, e: int, s: int) -> None:
    """Write the counters of site s as seen into the observation (`running` is never added to)."""
    n, scale, view, seen = len(w.cores), w.site_scale, w.flat[e], w.seen[e]
    view[FREE * n + s] = ratio(max(seen[SEEN_FREE, s], ZERO), scale[FREE])
    view[ACTIVATED * n + s] = ratio(seen[SEEN_ACTIVATED, s], scale[ACTIVATED])
    view[ASSIGNED * n + s] = ratio(seen[SEEN_ASSIGNED, s], scale[ASSIGNED])
    view[QUEUED * n + s] = ratio(seen[SEEN_QUEUED, s], scale[QUEUED])


@inner
def refresh(w: Any, e: int) -> None:
    """Read the counters of all sites as they are now."""
    grid, seen, n = w.grids[e], w.seen[e], len(w.cores)
    t = grid["clock"]
    grid["refreshed"] = t
    free, queued = 0.0, 0.0
    for s in range(n):
        site = w.sites[e, s]
        ahead = max(0.0, site["run_pred"] - t * site["used"]) + site["queue_pred"]
        seen[SEEN_FREE, s] = site["free"]
        seen[SEEN_ACTIVATED, s] = site["activated"]
        seen[SEEN_ASSIGNED, s] = site["assigned"]
        seen[SEEN_QUEUED, s] = max(0.0, site["queue_pred"])
        seen[SEEN_WORK, s] = ahead
        seen[SEEN_SPARE, s] = site["free"] - site["promised"]
        seen[SEEN_PER_CORE, s] = 1.0 / max(1, w.cores[s] - site["others"])
        w.flat[e, RUNNING * n + s] = ratio(site["running"], w.site_scale[RUNNING])
        write_counters(w, e, s)
        free += max(0, site["free"])
        queued += max(0.0, site["queue_pred"])
    grid["seen_free"] = free
    grid["seen_queued"] = queued


@inner
def note_placement(w: Any, e: int, s: int, j: int) -> None:
    """Add job j, just sent to site s, to what is seen there."""
    grid, seen, job = w.grids[e], w.seen[e], w.jobs[e, j]
    cores = job["cores"]
    work = job["workload_pred"] / w.speed[s]
    grid["seen_free"] -= max(0.0, min(float(cores), seen[SEEN_FREE, s]))
    grid["seen_queued"] += work
    seen[SEEN_FREE, s] -= cores
    seen[SEEN_SPARE, s] -= cores
    seen[SEEN_QUEUED, s] += work
    seen[SEEN_WORK, s] += work
    if stage_in(w, e, s, j)[0] > 0.0:
        seen[SEEN_ASSIGNED, s] += 1.0
    else:
        seen[SEEN_ACTIVATED, s] += 1.0
    write_counters(w, e, s)


@inner
def write_mask(mask: Any, capacity: Any, cores: Any) -> None:
    """1 where the job fits."""
    for s in range(len(mask)):
        mask[s] = capacity[s] >= cores


@inner
def write_wait(
    row: Any, work: Any, per_core: Any, spare: Any, age: Any, cores: Any, scale: Any
) -> None:
    """Estimated wait: the work ahead less what the cores have done of it since the refresh."""
    for s in range(len(row)):
        wait = work[s] * per_core[s] - age
        wait = wait if wait > ZERO else ZERO
        wait = wait if spare[s] < cores else ZERO
        row[s] = wait / (wait + scale)


@inner
def write_run(row: Any, per_gflop: Any, work: Any, scale: Any) -> None:
    """Predicted run time."""
    for s in range(len(row)):
        run = work * per_gflop[s]
        row[s] = run / (run + scale)


@inner
def nearer_time(row: Any, delay: Any, per_byte: Any, size: Any) -> None:
    """Lower `row` to the transfer time from one more replica."""
    for s in range(len(row)):
        time = delay[s] + size * per_byte[s]
        row[s] = time if time < row[s] else row[s]


@inner
def nearer(row: Any, closeness: Any, scale: Any) -> None:
    """Lower `row` to the closeness of one more replica."""
    for s in range(len(row)):
        near = closeness[s] / scale
        row[s] = near if near < row[s] else row[s]


@inner
def encode(row: Any, scale: Any) -> None:
    """x / (x + scale) in place."""
    for s in range(len(row)):
        row[s] = row[s] / (row[s] + scale)


@inner
def write_input(w: Any, e: int, j: int) -> None:
    """Transfer time, local share and closeness of job j's input for every site."""
    n, view, scale = len(w.cores), w.flat[e], w.site_scale
    transfer = view[TRANSFER * n : (TRANSFER + 1) * n]
    local = view[LOCAL * n : (LOCAL + 1) * n]
    close = view[CLOSENESS * n : (CLOSENESS + 1) * n]
    size = np.float32(w.jobs[e, j]["input_bytes"])
    held = w.replicas[e, j]
    if not (size > ZERO and (held[0] >= 0 or held[1] >= 0 or held[2] >= 0)):
        transfer[:] = ZERO
        local[:] = np.float32(1.0)
        close[:] = ZERO
        return
    transfer[:] = np.float32(np.inf)
    local[:] = ZERO
    close[:] = np.float32(np.inf)
    for r in range(len(held)):
        if held[r] >= 0:
            nearer_time(transfer, w.delay32[held[r]], w.per_byte32[held[r]], size)
            nearer(close, w.closeness[held[r]], scale[CLOSENESS])
            local[held[r]] = np.float32(1.0)
    encode(transfer, scale[TRANSFER])


@inner
def write_grid(w: Any, e: int, job: Any, grid_row: Any) -> None:
    """The part of the observation that is not per site."""
    grid, scale = w.grids[e], w.grid_scale
    t = grid["clock"]
    grid_row[0] = ratio(t - grid["refreshed"], scale[0])
    grid_row[1] = grid["seen_free"] / w.total_cores
    grid_row[2] = ratio(grid["seen_queued"] / (3600.0 * w.total_cores), scale[2])
    bins = len(w.tides)
    for k in range(2):
        when = ((grid["clock_0"] + t) % TIDE_S[k]) / TIDE_S[k]
        spot = int(when * bins) % bins
        grid_row[3 + 2 * k] = w.tides[spot, 0]
        grid_row[4 + 2 * k] = w.tides[spot, 1]
    grid_row[7] = (grid["cursor"] - grid["warmup"]) / max(1, grid["jobs"] - grid["warmup"])


@inner
def write_no_job(w: Any, e: int, row: Any) -> None:
    """The observation after the last decision: no job stands to be placed."""
    n, view = len(w.cores), w.flat[e]
    view[WAIT * n : (LOCAL + 1) * n] = ZERO
    view[CLOSENESS * n : (CLOSENESS + 1) * n] = ZERO
    row[:] = ZERO
    w.mask[e, :] = 1


@inner
def observe(w: Any, e: int) -> None:
    """Write what is seen before the job at the cursor is placed."""
    grid, n, view, seen = w.grids[e], len(w.cores), w.flat[e], w.seen[e]
    row = view[N_SITE * n : N_SITE * n + N_JOB]
    write_grid(w, e, row, view[N_SITE * n + N_JOB :])
    j = grid["cursor"]
    if j >= grid["jobs"]:
        write_no_job(w, e, row)
        return
    job, scale = w.jobs[e, j], w.job_scale
    row[0] = ratio(job["cores"], scale[0])
    row[1] = ratio(job["workload_pred"], scale[1])
    row[2] = ratio(job["input_bytes"], scale[2])
    row[3] = ratio(job["input_files"], scale[3])
    age = np.float32(grid["clock"] - grid["refreshed"])
    cores = np.float32(job["cores"])
    write_mask(w.mask[e], w.cores32, cores)
    write_wait(
        view[WAIT * n : (WAIT + 1) * n],
        seen[SEEN_WORK], seen[SEEN_PER_CORE], seen[SEEN_SPARE], age, cores, w.site_scale[WAIT],
    )  # fmt: skip
    work = np.float32(job["workload_pred"] / job["cores"])
    write_run(view[RUN * n : (RUN + 1) * n], w.per_gflop32, work, w.site_scale[RUN])
    write_input(w, e, j)


@inner
def last_refresh(w: Any, t: float) -> float:
    """When the counters that are seen at time t were read, s."""
    return math.floor(t / w.staleness_s) * w.staleness_s if w.staleness_s > 0.0 else t
