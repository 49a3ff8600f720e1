"""The observation: counters as of the last refresh, and the broker's own placements since.

Features are encoded by fixed constants, x / scale or x / (x + scale), as the tables of the
observation say.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline, lowest_bit, no_inline
from panda_gym.simulator.events import NOBODY, REFRESH, note
from panda_gym.simulator.placement import may_defer, primary, time_left
from panda_gym.simulator.replica_index import HELD, KEPT, NO_SITE, row_of, without_lowest
from panda_gym.simulator.replication import write_data_mask
from panda_gym.simulator.state import DOWN, GRID_ROWS, JOB_ROWS, SITE_ROWS
from panda_gym.simulator.storage import carrier_to
from panda_gym.units import BYTES_PER_TB

CORES, POWER, FREE, RUNNING, ACTIVATED, ASSIGNED, QUEUED = map(
    SITE_ROWS.index,
    ("cores", "power", "free_cores", "running", "activated", "assigned", "queued_work"),
)
WAIT, TRANSFER, RUN, LOCAL, CLOSENESS, DISK, FAILURES, ONLINE = map(
    SITE_ROWS.index,
    ("wait", "transfer", "run", "local_share", "closeness", "disk_free", "failure_rate", "online"),
)
DAY_ROW, WEEK_ROW = GRID_ROWS.index("hour_sin"), GRID_ROWS.index("week_sin")
WORK_AHEAD, SPARE_CORES = range(2)
"""Rows of `World.seen_queue`."""
N_SITE, N_JOB, N_GRID = len(SITE_ROWS), len(JOB_ROWS), len(GRID_ROWS)
ZERO: Final = np.float32(0.0)
ONE: Final = np.float32(1.0)
DAY_S: Final = 86400.0
WEEK_S: Final = 604800.0


@inline
def ratio(value: float, scale: float) -> float:
    """x / (x + scale): [0, inf) to [0, 1)."""
    return value / (value + scale)


@no_inline
def write_constants(w: Any, e: int) -> None:
    """Write the rows of the observation that are constant over the episode."""
    n, scale = len(w.site_static), w.scales
    for q in range(w.flat.shape[1]):
        write_constants_of(w, w.flat[e, q], n, scale)


@inline
def write_constants_of(w: Any, view: Any, n: int, scale: Any) -> None:
    """The same for one pending job."""
    for s in range(n):
        static = w.site_static[s]
        view[CORES * n + s] = ratio(static["cores"], scale[CORES])
        view[POWER * n + s] = static["power"] / scale[POWER]
        view[DISK * n + s] = ratio(static["disk_tb"], scale[DISK])
        view[FAILURES * n + s] = ZERO
        view[ONLINE * n + s] = ONE


@inline
def write_counters(w: Any, e: int, s: int) -> None:
    """Write the counters of site s into the observation; only a refresh writes `running`."""
    n, scale, counters = len(w.site_static), w.scales, w.site_counters[e, s]
    w.seen_queue[e, WORK_AHEAD, s] = counters["work"] * counters["per_core"]
    for q in range(w.flat.shape[1]):
        write_counters_of(w.flat[e, q], counters, s, n, scale)


@inline
def write_counters_of(view: Any, counters: Any, s: int, n: int, scale: Any) -> None:
    """The same for one pending job."""
    view[FREE * n + s] = ratio(max(counters["free"], ZERO), scale[FREE])
    view[ACTIVATED * n + s] = ratio(counters["activated"], scale[ACTIVATED])
    view[ASSIGNED * n + s] = ratio(counters["assigned"], scale[ASSIGNED])
    view[QUEUED * n + s] = ratio(counters["queued"], scale[QUEUED])


@no_inline
def refresh(w: Any, e: int) -> None:
    """Read the counters of all sites as they are now."""
    grid, n = w.grids[e], len(w.site_static)
    t = grid["clock"]
    grid["refreshed"] = t
    free, queued = 0.0, 0.0
    for s in range(n):
        site, counters = w.sites[e, s], w.site_counters[e, s]
        ahead = max(0.0, site["run_pred"] - t * site["used"]) + site["queue_pred"]
        counters["free"] = site["free"]
        counters["activated"] = site["activated"]
        counters["assigned"] = site["assigned"]
        counters["queued"] = max(0.0, site["queue_pred"])
        counters["work"] = ahead
        w.seen_queue[e, SPARE_CORES, s] = site["free"] - site["committed_cores"]
        counters["per_core"] = 1.0 / max(1, w.site_static[s]["cores"] - site["competing_cores"])
        for q in range(w.flat.shape[1]):
            w.flat[e, q, RUNNING * n + s] = ratio(site["running"], w.scales[RUNNING])
        write_counters(w, e, s)
        write_status(w, e, s)
        free += max(0, site["free"])
        queued += max(0.0, site["queue_pred"])
    grid["seen_free"] = free
    grid["seen_queued"] = queued
    note(w, e, REFRESH, t, NOBODY, NOBODY, NOBODY, 0.0)


@inline
def write_status(w: Any, e: int, s: int) -> None:
    """Write failure rate, status and free disk of a site, where the settings let them change."""
    n, rules, site_status, storage = (
        len(w.site_static),
        w.rules[0],
        w.site_status[e, s],
        w.site_storage[e, s],
    )
    for q in range(w.flat.shape[1]):
        view = w.flat[e, q]
        if rules["failing"] + rules["outages"] + rules["limits"] > 0:
            view[FAILURES * n + s] = site_status["failure_rate"] / w.scales[FAILURES]
            view[ONLINE * n + s] = ZERO if site_status["status"] == DOWN else ONE
        if rules["storage"] > 0:
            free = (storage["quota"] - storage["used"]) / BYTES_PER_TB
            view[DISK * n + s] = ratio(free, w.scales[DISK])


@inline
def count_placement(w: Any, e: int, s: int, j: int, time: float) -> None:
    """Add job j, just sent to site s with a stage-in of `time` s, to the counters of the site."""
    grid, counters, job = w.grids[e], w.site_counters[e, s], w.jobs[e, j]
    cores = job["cores"]
    work = job["workload_pred"] / w.site_static[s]["speed"]
    grid["seen_free"] -= max(0.0, min(float(cores), counters["free"]))
    grid["seen_queued"] += work
    counters["free"] -= cores
    w.seen_queue[e, SPARE_CORES, s] -= cores
    counters["queued"] += work
    counters["work"] += work
    if time > 0.0:
        counters["assigned"] += 1.0
    else:
        counters["activated"] += 1.0
    write_counters(w, e, s)


@inline
def write_mask(mask: Any, capacity: Any, cores: Any) -> None:
    """1 where the job fits the cores of the site."""
    for s in range(len(capacity)):
        mask[s] = capacity[s] >= cores


@inline
def mask_offline(mask: Any, online: Any) -> None:
    """Mask sites whose counters say offline, unless that would leave no legal site."""
    left = 0
    for s in range(len(online)):
        left += mask[s] > 0 and online[s] > ZERO
    if left > 0:
        for s in range(len(online)):
            mask[s] = mask[s] > 0 and online[s] > ZERO


@inline
def write_wait(row: Any, ahead: Any, spare: Any, age: Any, cores: Any, scale: Any) -> None:
    """Estimated wait: the work ahead, less the time since the refresh."""
    for s in range(len(row)):
        wait = ahead[s] - age
        wait = wait if wait > ZERO else ZERO
        wait = wait if spare[s] < cores else ZERO
        row[s] = wait / (wait + scale)


@inline
def write_run(row: Any, per_gflop: Any, work: Any, scale: Any) -> None:
    """Predicted run time."""
    for s in range(len(row)):
        run = work * per_gflop[s]
        row[s] = run / (run + scale)


@inline
def write_time(row: Any, a: Any, b: Any, c: Any, size: Any) -> None:
    """Transfer time from the best of three sources; each is a table of start-ups and s/byte."""
    for s in range(len(row)):
        time = a[0, s] + size * a[1, s]
        other = b[0, s] + size * b[1, s]
        time = other if other < time else time
        other = c[0, s] + size * c[1, s]
        row[s] = other if other < time else time


@inline
def encode(row: Any, scale: Any) -> None:
    """x / (x + scale) in place."""
    for s in range(len(row)):
        row[s] = row[s] / (row[s] + scale)


@inline
def write_closeness(row: Any, a: Any, b: Any, c: Any) -> None:
    """Closeness of the nearest of three sources."""
    for s in range(len(row)):
        near = a[2, s]
        near = b[2, s] if b[2, s] < near else near
        row[s] = c[2, s] if c[2, s] < near else near


@inline
def write_closeness_of(row: Any, steps: Any, scale: Any) -> None:
    """Closeness from steps of distance."""
    for s in range(len(row)):
        row[s] = np.float32(steps[s]) / scale


@inline
def write_encoded(row: Any, values: Any, scale: Any) -> None:
    """x / (x + scale)."""
    for s in range(len(row)):
        row[s] = values[s] / (values[s] + scale)


@inline
def write_input(w: Any, e: int, j: int, view: Any) -> None:
    """Transfer time, local share and closeness of job j's input for every site."""
    n = len(w.site_static)
    transfer = view[TRANSFER * n : (TRANSFER + 1) * n]
    local = view[LOCAL * n : (LOCAL + 1) * n]
    close = view[CLOSENESS * n : (CLOSENESS + 1) * n]
    size = np.float32(w.jobs[e, j]["input_bytes"])
    a, b, c = primary(w, e, j, 0), primary(w, e, j, 1), primary(w, e, j, 2)
    known = max(a, b, c)
    if not size > ZERO or known < 0:
        transfer[:] = ZERO
        local[:] = ONE
        close[:] = ZERO
        return
    local[:] = ZERO
    if w.rules[0]["storage"] > 0:
        write_row(w, e, w.jobs[e, j]["dataset"], transfer, local, close)
        return
    a, b, c = (a if a >= 0 else known), (b if b >= 0 else known), (c if c >= 0 else known)
    write_time(transfer, w.link_costs[a], w.link_costs[b], w.link_costs[c], size)
    write_closeness(close, w.link_costs[a], w.link_costs[b], w.link_costs[c])
    local[a] = local[b] = local[c] = ONE
    encode(transfer, w.scales[TRANSFER])


@no_inline
def write_row(w: Any, e: int, d: int, transfer: Any, local: Any, close: Any) -> None:
    """The same from the cached row of dataset d, which at least one site holds.

    Where the dataset is on its way, the transfer time is what is left of it.
    """
    n, row = len(transfer), row_of(w, e, d)
    write_encoded(transfer, w.read_times[e, row, :n], w.scales[TRANSFER])
    write_closeness_of(close, w.read_closeness[e, row, :n], w.scales[CLOSENESS])
    for k in range(w.holders.shape[3]):
        left = w.holders[e, d, HELD, k]
        while left != NO_SITE:
            local[(k << 6) + lowest_bit(left)] = ONE
            left = without_lowest(left)
        coming = w.holders[e, d, KEPT, k] & ~w.holders[e, d, HELD, k]
        while coming != NO_SITE:
            s = (k << 6) + lowest_bit(coming)
            transfer[s] = ratio(time_left(w, e, carrier_to(w, e, d, s)), w.scales[TRANSFER])
            coming = without_lowest(coming)


@inline
def phase_bin(w: Any, t: float, period: float) -> int:
    """The row of `World.daily_phase` for time t in a period of that many seconds."""
    return int(t / period * len(w.daily_phase)) % len(w.daily_phase)


@inline
def write_grid(w: Any, e: int, row: Any) -> None:
    """The part of the observation that is not per site."""
    grid, scale = w.grids[e], w.scales[N_SITE + N_JOB :]
    t = grid["clock"]
    row[0] = ratio(t - grid["refreshed"], scale[0])
    row[1] = grid["seen_free"] / w.total_cores
    row[2] = ratio(grid["seen_queued"] / (3600.0 * w.total_cores), scale[2])
    day, week = phase_bin(w, grid["clock_0"] + t, DAY_S), phase_bin(w, grid["clock_0"] + t, WEEK_S)
    row[DAY_ROW], row[DAY_ROW + 1] = w.daily_phase[day, 0], w.daily_phase[day, 1]
    row[WEEK_ROW], row[WEEK_ROW + 1] = w.daily_phase[week, 0], w.daily_phase[week, 1]
    row[7] = min(1.0, grid["decided"] / max(1, grid["judged"] - grid["warmup"]))


@inline
def write_no_job(w: Any, e: int, q: int, row: Any) -> None:
    """Write the observation without a pending job, as after the last decision."""
    n, view = len(w.site_static), w.flat[e, q]
    view[WAIT * n : (LOCAL + 1) * n] = ZERO
    view[CLOSENESS * n : (CLOSENESS + 1) * n] = ZERO
    row[:] = ZERO
    w.mask[e, q, :] = 1


@inline
def observe(w: Any, e: int) -> None:
    """Write the observation of all pending jobs."""
    for q in range(w.pending.shape[1]):
        observe_job(w, e, q)


@inline
def observe_job(w: Any, e: int, q: int) -> None:
    """Write the observation of pending job q."""
    grid, n, view, rules = w.grids[e], len(w.site_static), w.flat[e, q], w.rules[0]
    row = view[N_SITE * n : N_SITE * n + N_JOB]
    write_grid(w, e, view[N_SITE * n + N_JOB :])
    j = w.pending[e, q]
    if j < 0:
        write_no_job(w, e, q, row)
        return
    job, scale = w.jobs[e, j], w.scales[N_SITE : N_SITE + N_JOB]
    row[0] = ratio(job["cores"], scale[0])
    row[1] = ratio(job["workload_pred"], scale[1])
    row[2] = ratio(job["input_bytes"], scale[2])
    row[3] = ratio(job["input_files"], scale[3])
    age = np.float32(grid["clock"] - grid["refreshed"])
    cores = np.float32(job["cores"])
    mask = w.mask[e, q]
    write_mask(mask, w.site_static32[0], cores)
    if rules["outages"] > 0:
        mask_offline(mask, view[ONLINE * n : (ONLINE + 1) * n])
    if rules["defer"] > 0:
        mask[n] = may_defer(w, e, j)
    if rules["replicate"] > 0:
        write_data_mask(w, e, j, mask[n + rules["defer"] :])
    write_wait(
        view[WAIT * n : (WAIT + 1) * n],
        w.seen_queue[e, WORK_AHEAD], w.seen_queue[e, SPARE_CORES], age, cores, w.scales[WAIT],
    )  # fmt: skip
    work = np.float32(job["workload_pred"] / job["cores"])
    write_run(view[RUN * n : (RUN + 1) * n], w.site_static32[1], work, w.scales[RUN])
    write_input(w, e, j, view)


@inline
def last_refresh(w: Any, t: float) -> float:
    """Time of the last refresh of the counters at or before time t, s."""
    if w.staleness_s == 0.0 or t == math.inf:
        return t
    read = math.floor(t / w.staleness_s) * w.staleness_s
    return read if read <= t else read - w.staleness_s  # the quotient may be rounded up
