"""What the broker sees: counters as old as the last refresh, beside what it has placed since.

Writes the observation; knows no action and no reward. Features are encoded by fixed constants:
x / scale or x / (x + scale), as the tables of the observation say.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.simulator.compiled import inner
from panda_gym.simulator.state import GRID_ROWS, JOB_ROWS, SEEN_ROWS, SITE_ROWS

CORES, POWER, FREE, RUNNING, ACTIVATED, ASSIGNED, QUEUED = range(7)
WAIT, TRANSFER, RUN, LOCAL, CLOSENESS, DISK, FAILURES, ONLINE = range(7, 15)
SEEN_FREE, SEEN_ACTIVATED, SEEN_ASSIGNED, SEEN_QUEUED, SEEN_WORK, SEEN_SPARE, SEEN_PER_CORE = range(
    len(SEEN_ROWS)
)
N_SITE, N_JOB, N_GRID = len(SITE_ROWS), len(JOB_ROWS), len(GRID_ROWS)
ZERO: Final = np.float32(0.0)
ONE: Final = np.float32(1.0)
DAY_S: Final = 86400.0
WEEK_S: Final = 604800.0


@inner
def ratio(value: float, scale: float) -> float:
    """x / (x + scale): [0, inf) to [0, 1)."""
    return value / (value + scale)


@inner
def write_constants(w: Any, e: int) -> None:
    """Write the rows of the observation that stay the same for the whole episode."""
    n, scale, view = len(w.places), w.scales, w.flat[e]
    for s in range(n):
        place = w.places[s]
        view[CORES * n + s] = ratio(place["cores"], scale[CORES])
        view[POWER * n + s] = place["power"] / scale[POWER]
        view[DISK * n + s] = ratio(place["disk_tb"], scale[DISK])
        view[FAILURES * n + s] = ZERO
        view[ONLINE * n + s] = ONE


@inner
def write_counters(w: Any, e: int, s: int) -> None:
    """Write the counters of site s as seen into the observation (`running` is never added to)."""
    n, scale, view, seen = len(w.places), w.scales, w.flat[e], w.seen[e]
    view[FREE * n + s] = ratio(max(seen[SEEN_FREE, s], ZERO), scale[FREE])
    view[ACTIVATED * n + s] = ratio(seen[SEEN_ACTIVATED, s], scale[ACTIVATED])
    view[ASSIGNED * n + s] = ratio(seen[SEEN_ASSIGNED, s], scale[ASSIGNED])
    view[QUEUED * n + s] = ratio(seen[SEEN_QUEUED, s], scale[QUEUED])


@inner
def refresh(w: Any, e: int) -> None:
    """Read the counters of all sites as they are now."""
    grid, seen, n = w.grids[e], w.seen[e], len(w.places)
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
        seen[SEEN_PER_CORE, s] = 1.0 / max(1, w.places[s]["cores"] - site["others"])
        w.flat[e, RUNNING * n + s] = ratio(site["running"], w.scales[RUNNING])
        write_counters(w, e, s)
        free += max(0, site["free"])
        queued += max(0.0, site["queue_pred"])
    grid["seen_free"] = free
    grid["seen_queued"] = queued


@inner
def note_placement(w: Any, e: int, s: int, j: int, time: float) -> None:
    """Add job j, just sent to site s with a stage-in of `time`, to what is seen there."""
    grid, seen, job = w.grids[e], w.seen[e], w.jobs[e, j]
    cores = job["cores"]
    work = job["workload_pred"] / w.places[s]["speed"]
    grid["seen_free"] -= max(0.0, min(float(cores), seen[SEEN_FREE, s]))
    grid["seen_queued"] += work
    seen[SEEN_FREE, s] -= cores
    seen[SEEN_SPARE, s] -= cores
    seen[SEEN_QUEUED, s] += work
    seen[SEEN_WORK, s] += work
    if time > 0.0:
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
def write_transfer(row: Any, a: Any, b: Any, c: Any, size: Any, scale: Any) -> None:
    """Transfer time from the best of three sources, each a lane of start-ups and s/byte."""
    for s in range(len(row)):
        time = a[0, s] + size * a[1, s]
        other = b[0, s] + size * b[1, s]
        time = other if other < time else time
        other = c[0, s] + size * c[1, s]
        time = other if other < time else time
        row[s] = time / (time + scale)


@inner
def write_closeness(row: Any, a: Any, b: Any, c: Any) -> None:
    """Closeness of the nearest of three sources."""
    for s in range(len(row)):
        near = a[2, s]
        near = b[2, s] if b[2, s] < near else near
        row[s] = c[2, s] if c[2, s] < near else near


@inner
def write_input(w: Any, e: int, j: int) -> None:
    """Transfer time, local share and closeness of job j's input for every site."""
    n, view, held = len(w.places), w.flat[e], w.replicas[e, j]
    transfer = view[TRANSFER * n : (TRANSFER + 1) * n]
    local = view[LOCAL * n : (LOCAL + 1) * n]
    close = view[CLOSENESS * n : (CLOSENESS + 1) * n]
    size = np.float32(w.jobs[e, j]["input_bytes"])
    a, b, c = held[0], held[1], held[2]
    known = max(a, b, c)
    if not size > ZERO or known < 0:
        transfer[:] = ZERO
        local[:] = ONE
        close[:] = ZERO
        return
    a, b, c = (a if a >= 0 else known), (b if b >= 0 else known), (c if c >= 0 else known)
    write_transfer(transfer, w.lanes[a], w.lanes[b], w.lanes[c], size, w.scales[TRANSFER])
    write_closeness(close, w.lanes[a], w.lanes[b], w.lanes[c])
    local[:] = ZERO
    local[a] = local[b] = local[c] = ONE


@inner
def tide(w: Any, t: float, period: float) -> int:
    """Where time t stands in a period, as a row of `World.tides`."""
    return int(t / period * len(w.tides)) % len(w.tides)


@inner
def write_grid(w: Any, e: int, row: Any) -> None:
    """The part of the observation that is not per site."""
    grid, scale = w.grids[e], w.scales[N_SITE + N_JOB :]
    t = grid["clock"]
    row[0] = ratio(t - grid["refreshed"], scale[0])
    row[1] = grid["seen_free"] / w.total_cores
    row[2] = ratio(grid["seen_queued"] / (3600.0 * w.total_cores), scale[2])
    day, week = tide(w, grid["clock_0"] + t, DAY_S), tide(w, grid["clock_0"] + t, WEEK_S)
    row[3], row[4] = w.tides[day, 0], w.tides[day, 1]
    row[5], row[6] = w.tides[week, 0], w.tides[week, 1]
    row[7] = (grid["cursor"] - grid["warmup"]) / max(1, grid["jobs"] - grid["warmup"])


@inner
def write_no_job(w: Any, e: int, row: Any) -> None:
    """The observation after the last decision: no job stands to be placed."""
    n, view = len(w.places), w.flat[e]
    view[WAIT * n : (LOCAL + 1) * n] = ZERO
    view[CLOSENESS * n : (CLOSENESS + 1) * n] = ZERO
    row[:] = ZERO
    w.mask[e, :] = 1


@inner
def observe(w: Any, e: int) -> None:
    """Write what is seen before the job at the cursor is placed."""
    grid, n, view, seen = w.grids[e], len(w.places), w.flat[e], w.seen[e]
    row = view[N_SITE * n : N_SITE * n + N_JOB]
    write_grid(w, e, view[N_SITE * n + N_JOB :])
    j = grid["cursor"]
    if j >= grid["jobs"]:
        write_no_job(w, e, row)
        return
    job, scale = w.jobs[e, j], w.scales[N_SITE : N_SITE + N_JOB]
    row[0] = ratio(job["cores"], scale[0])
    row[1] = ratio(job["workload_pred"], scale[1])
    row[2] = ratio(job["input_bytes"], scale[2])
    row[3] = ratio(job["input_files"], scale[3])
    age = np.float32(grid["clock"] - grid["refreshed"])
    cores = np.float32(job["cores"])
    write_mask(w.mask[e], w.places32[0], cores)
    write_wait(
        view[WAIT * n : (WAIT + 1) * n],
        seen[SEEN_WORK], seen[SEEN_PER_CORE], seen[SEEN_SPARE], age, cores, w.scales[WAIT],
    )  # fmt: skip
    work = np.float32(job["workload_pred"] / job["cores"])
    write_run(view[RUN * n : (RUN + 1) * n], w.places32[1], work, w.scales[RUN])
    write_input(w, e, j)


@inner
def last_refresh(w: Any, t: float) -> float:
    """When the counters that are seen at time t were read, s."""
    if w.staleness_s == 0.0:
        return t
    read = math.floor(t / w.staleness_s) * w.staleness_s
    return read if read <= t else read - w.staleness_s  # the quotient may be rounded up
