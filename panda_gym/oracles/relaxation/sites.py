"""Cores that the sites of a grid can offer to jobs yet to be placed, over time: an upper bound.

The running jobs and the queues at the time of the bound are no policy's any more: before a FIFO
queue they start before every later job, at times that do not depend on it. `present_jobs` walks
each queue with the draws that will come true (failures, pilots' delays, cancellations, competing
load). Where the walk leaves something out (outages, queue limits, jobs on their way to a site), its
starts are earlier than the true ones, since a FIFO start is monotone in the cores and starts
before it. So from the true start of the last of these jobs on, the walk never counts more cores in
use than there are, and before that no later job starts.

Competing work never preempts, so jobs may hold more cores than are left for them, F(t). Only at
a start is their sum at most F(t). Let every job take the lowest free of the numbered cores of its
site: its numbers are at most F(its start). Hence at any time t and for any level K, the running
jobs that started while F <= K hold at most K cores. `capacity` integrates such a level over each
bin: the most cores left since `MEMORY` bins ago. Its least value within the bin tells which jobs
count (`least`).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.oracles.forecast import CHANGES, entry
from panda_gym.oracles.relaxation.arrays import Sites
from panda_gym.oracles.site_queue import begin_queue, occupy, start_job
from panda_gym.simulator.compiled_api import (
    ACTIVATED,
    CANCEL,
    KIND,
    World,
    change_time,
    draw_failure,
    next_loss,
    pilot_delay,
    true_run,
    world_of,
)

MEMORY: Final = 2
"""Bins over which the level of a bin looks back."""
MONTH_S: Final = 30.0 * 86400.0
"""Time up to which outages are computed, s; from then on every running job may fail."""


@no_inline
def read_cancellations(w: Any, x: Any, e: int) -> None:
    """Write when each job that has been placed will be cancelled into `cut`."""
    for i in range(w.grids[e]["queued_events"]):
        one = w.heap[e, w.first_staged + i]
        if one["job"] >= CANCEL * KIND:
            row = one["job"] - CANCEL * KIND
            x.cut[row] = min(x.cut[row], one["time"])


@inline
def read_running(w: Any, k: Any, x: Any, e: int, s: int) -> None:
    """Write start and end of the running jobs of site s; one to be cancelled counts as gone."""
    now, first = w.grids[e]["clock"], w.site_static[s]["first_run"]
    for i in range(w.sites[e, s]["running"]):
        one = w.heap[e, first + i]
        cores = w.job_states[e, one["job"]]["cores"]
        if x.cut[one["job"]] < one["time"]:
            k.cursor[0]["free"] += cores
        else:
            x.start[one["job"]], x.end[one["job"]] = now, min(one["time"], x.lost[s])


@inline
def walk_queue(w: Any, k: Any, x: Any, e: int, s: int) -> None:
    """Write start and end of the jobs that wait for cores at site s, as they will come true."""
    cursor, j = k.cursor[0], w.sites[e, s]["head"]
    horizon = change_time(w, s, CHANGES - 1)
    while j >= 0:
        after = w.job_states[e, j]["next"]
        if w.job_states[e, j]["state"] == ACTIVATED and x.cut[j] == math.inf:
            cores = w.jobs[e, j]["cores"]
            latest = min(min(x.lost[s], horizon), waits_until(w, e, j))
            if not start_job(w, k, e, s, cores, -math.inf) or cursor["t"] >= latest:
                x.opens[s] = max(x.opens[s], min(latest, cursor["t"]))
                return
            run, _ = draw_failure(w, e, s, j, true_run(w, e, s, j))
            end = cursor["t"] + pilot_delay(w, e, j) + run
            occupy(k, cores, end)
            x.start[j], x.end[j], x.opens[s] = cursor["t"], min(end, x.lost[s]), cursor["t"]
        j = after


@inline
def waits_until(w: Any, e: int, j: int) -> float:
    """When waiting job j is closed if it has not started, s; inf: never."""
    if w.rules[0]["limits"] == 0:
        return math.inf
    return w.job_states[e, j]["activation"] + w.rules[0]["activated_s"]


@entry
def present_jobs(table: Any, k: Any, x: Any, e: int) -> None:
    """Write when the running and the waiting jobs of grid e hold their cores, see `Sites`."""
    w = world_of(table)
    now = w.grids[e]["clock"]
    read_cancellations(w, x, e)
    for s in range(len(w.site_static)):
        if w.rules[0]["outages"] > 0 and w.rules[0]["heartbeat_s"] < math.inf:
            x.lost[s] = next_loss(w, e, s, now, now + MONTH_S)
        begin_queue(w, k, e, s)
        site, cursor = w.sites[e, s], k.cursor[0]
        cursor["opens"] = now
        cursor["free"] = w.site_static[s]["cores"] - site["competing_cores"] - site["used"]
        read_running(w, k, x, e, s)
        walk_queue(w, k, x, e, s)


def cores_left(world: World, levels: np.ndarray, e: int, x: Sites) -> Sites:
    """Return `x` with the cores left at each site over time.

    levels: int32[S, CHANGES], cores in competing use from each change on.
    """
    steps = [_steps(world, levels[s], e, s, x) for s in range(len(x.opens))]
    widest = max(len(times) for times, _ in steps)
    time = np.full((len(steps), widest), np.inf)
    left = np.zeros((len(steps), widest), np.int64)
    for s, (times, cores) in enumerate(steps):
        time[s, : len(times)], left[s, : len(times)] = times, cores
        x.points[s] = len(times)
    return x._replace(time=time, left=left)


def _steps(
    world: World, level: np.ndarray, e: int, s: int, x: Sites
) -> tuple[np.ndarray, np.ndarray]:
    """Times, float64[P], and cores left from each on, int64[P], of one site."""
    site, now = world.sites[e, s], float(x.origin[0])
    rows = np.flatnonzero((world.job_states["site"][e] == s) & (x.start < np.inf))
    cores = world.job_states["cores"][e][rows].astype(np.int64)
    total = int(world.site_static["cores"][s])
    changes = np.arange(int(site["load_changes"]) + 1, CHANGES)
    share = (s + 1.0) / (len(world.site_static) + 1.0)
    at = (changes - 1 + share) * world.interval_s if np.isfinite(world.interval_s) else None
    times = [np.array([now]), x.start[rows], x.end[rows]]
    deltas = [np.array([total - int(site["competing_cores"])]), -cores, cores]
    if at is not None:
        before = np.concatenate([[int(site["competing_cores"])], level[changes[:-1]]])
        times += [at, at[-1:]]
        deltas += [before - level[changes], level[changes[-1:]]]
    time, delta = np.concatenate(times), np.concatenate(deltas)
    order = np.argsort(time, kind="stable")
    time, delta = np.maximum(time[order], now), np.cumsum(delta[order])
    last = np.append(time[1:] > time[:-1], True)
    return time[last], delta[last].astype(np.int64)


@entry
def fill_bins(x: Any, memory: int) -> None:
    """Write `most`, `least` and `capacity` of every site and bin."""
    sites, bins = x.most.shape
    origin, width = x.origin[0], x.width[0]
    for s in range(sites):
        point = 0
        for b in range(bins):
            begin, end = origin + b * width, origin + (b + 1) * width
            while point + 1 < x.points[s] and x.time[s, point + 1] <= begin:
                point += 1
            level = max(0.0, float(x.left[s, point]))
            for before in range(max(0, b - memory), b):
                level = max(level, x.most[s, before])
            x.least[s, b], x.most[s, b] = level, max(0.0, float(x.left[s, point]))
            total, t, i = 0.0, begin, point
            while i + 1 < x.points[s] and x.time[s, i + 1] < end:
                total += level * (x.time[s, i + 1] - t)
                t, i = x.time[s, i + 1], i + 1
                level = max(level, float(x.left[s, i]))
                x.most[s, b] = max(x.most[s, b], float(x.left[s, i]))
            x.capacity[s, b] = total + level * (end - t)
