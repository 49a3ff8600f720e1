"""Forecast of one grid's queues, site by site, from the true state.

A site is a FIFO queue before k cores. The forecast uses the true ends of running jobs, the true
run times of waiting ones, the future competing load, and the arrivals of jobs planned for the
site. It does not use random draws: failures enter by their probabilities, outages by the present
status, pilots by their mean delay, cancellations not at all. Shares of links stay as they are.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym import simulator
from panda_gym.jit.compiled import entry_decorator, inline, no_inline
from panda_gym.jit.counter_rng import bits
from panda_gym.simulator.compiled_api import (
    ACTIVATED,
    DOWN,
    change_time,
    competing_level,
    expected_ln,
    normal,
    primary,
    staged_job,
    true_run,
)

Array = np.ndarray

CHANGES: Final = 1200
"""Changes of the competing load in the forecast of a site; the load is constant from then on."""
ITEMS: Final = 1536
"""Most waiting and planned jobs of one site; no more are planned there."""


class Forecast(NamedTuple):
    """Forecast and plan of E grids, and scratch arrays for one of them."""

    levels: Array  # int32[E, S, CHANGES] cores in competing use from each change on
    plan: Array  # int32[E, R] site planned for each row, -1 none
    # of the present grid
    epoch: Array  # int32[1] number of the time at which the grid is looked at
    fetched_epoch: Array  # int32[R, S] when `fetched` was computed
    fetched: Array  # float64[R, S] time to read each job's input at each site, s
    first: Array  # int32[S + 1] where each site's jobs begin in `waiting`
    waiting: Array  # int32[R] rows that wait, by site, in the order in which they will start
    ready: Array  # float64[R] when the input of each of these is there, s
    planned: Array  # int32[S, ITEMS] rows planned for each site, by arrival
    planned_count: Array  # int32[S] how many they are
    value: Array  # float64[S] sum of the expected ln slowdowns of all jobs of the site
    orders: Array  # float64[2, S, ITEMS] when each job's input is there, when it starts; by start
    length: Array  # int32[S] jobs that wait there
    ordered: Array  # int32[S] jobs in `orders`
    # of the present site
    item: Array  # int32[ITEMS]
    item_ready: Array  # float64[ITEMS]
    own: Array  # int32[ITEMS]
    own_ready: Array  # float64[ITEMS]
    end_t: Array  # float64[...] heap of ends
    end_c: Array  # int32[...]
    candidates: Array  # int32[S]
    candidate_values: Array  # float64[S]


def allocate(world: Any) -> Forecast:
    """Return an empty forecast for the grids of a world."""
    grids, sites = world.sites.shape
    rows = world.job_states.shape[1]
    most = int(world.site_static["cores"].max()) + 2 * ITEMS
    return Forecast(
        levels=np.zeros((grids, sites, CHANGES), np.int32),
        plan=np.full((grids, rows), -1, np.int32),
        epoch=np.zeros(1, np.int32),
        fetched_epoch=np.zeros((rows, sites), np.int32),
        fetched=np.zeros((rows, sites)),
        first=np.zeros(sites + 1, np.int32),
        waiting=np.zeros(rows, np.int32),
        ready=np.zeros(rows),
        planned=np.zeros((sites, ITEMS), np.int32),
        planned_count=np.zeros(sites, np.int32),
        value=np.zeros(sites),
        orders=np.zeros((2, sites, ITEMS)),
        length=np.zeros(sites, np.int32),
        ordered=np.zeros(sites, np.int32),
        item=np.zeros(ITEMS, np.int32),
        item_ready=np.zeros(ITEMS),
        own=np.zeros(ITEMS, np.int32),
        own_ready=np.zeros(ITEMS),
        end_t=np.zeros(most),
        end_c=np.zeros(most, np.int32),
        candidates=np.zeros(sites, np.int32),
        candidate_values=np.zeros(sites),
    )


@inline
def forecast_load(w: Any, k: Any, e: int, s: int) -> None:
    """Forecast the cores in competing use at site s from each change on."""
    load = normal(bits(w.grids[e]["seed"], s, 0))
    for change in range(CHANGES):
        t = change_time(w, s, change) if change > 0 else 0.0
        if change > 0:
            load = w.persistence * load + w.innovation * normal(bits(w.grids[e]["seed"], s, change))
        k.levels[e, s, change] = competing_level(w, e, s, t, change, load)


@inline
def insert_waiting(k: Any, s: int, j: int, t: float) -> None:
    """Insert job j, whose input is complete at time t, into the waiting jobs of site s (stable)."""
    first, size = k.first[s], k.length[s]
    hole = first + size
    while hole > first and k.ready[hole - 1] > t:
        k.waiting[hole], k.ready[hole] = k.waiting[hole - 1], k.ready[hole - 1]
        hole -= 1
    k.waiting[hole], k.ready[hole] = j, t
    k.length[s] = size + 1


@no_inline
def collect_waiting(w: Any, k: Any, e: int) -> None:
    """Collect the waiting jobs of each site of grid e, ordered by when their input is complete."""
    n, grid = len(w.site_static), w.grids[e]
    k.epoch[0] += 1
    k.first[0] = 0
    for s in range(n):
        site = w.sites[e, s]
        k.first[s + 1] = k.first[s] + site["activated"] + site["assigned"]
        k.length[s] = 0
        j = site["head"]
        while j >= 0:
            if w.job_states[e, j]["state"] == ACTIVATED:
                insert_waiting(k, s, j, -math.inf)
            j = w.job_states[e, j]["next"]
    for entry in range(grid["queued_events"]):
        j = staged_job(w, e, entry)
        if j >= 0:
            insert_waiting(
                k, w.job_states[e, j]["site"], j, w.heap[e, w.first_staged + entry]["time"]
            )
    for entry in range(grid["flows"]):
        j = w.flow_heap[e, entry]["job"]
        if w.job_states[e, j]["cores"] > 0:
            insert_waiting(k, w.job_states[e, j]["site"], j, w.flow_heap[e, entry]["time"])


@inline
def read_from(w: Any, e: int, j: int, r: int, s: int) -> float:
    """Time to read the input of job j at site s from site r by the present shares of links, s."""
    size = w.jobs[e, j]["input_bytes"]
    time = w.links[r, 0, s] + size * w.links[r, 1, s]
    if w.rules[0]["level"] > 0 and r != s:
        out, into = w.site_storage[e, r], w.site_storage[e, s]
        time = max(time, size * (out["outgoing"] + 1) / out["cap"])
        time = max(time, size * (into["incoming"] + 1) / into["cap"])
    return time


@inline
def fetch(w: Any, k: Any, e: int, j: int, s: int) -> float:
    """Least time to read the input of job j at site s from its present replicas, s (cached)."""
    if k.fetched_epoch[j, s] != k.epoch[0]:
        k.fetched_epoch[j, s] = k.epoch[0]
        k.fetched[j, s] = least_time(w, e, j, s)
    return k.fetched[j, s]


@no_inline
def least_time(w: Any, e: int, j: int, s: int) -> float:
    """The same without the cache."""
    best = math.inf
    if not w.jobs[e, j]["input_bytes"] > 0.0:
        return 0.0
    for i in range(3):
        held = primary(w, e, j, i)
        if held >= 0:
            best = min(best, read_from(w, e, j, held, s))
    if w.rules[0]["storage"] > 0 and best < math.inf:
        r = w.datasets[e, w.jobs[e, j]["dataset"]]["first"]
        while r >= 0:
            one = w.pool[e, r]
            if one["complete"] > 0:
                best = min(best, read_from(w, e, j, one["site"], s))
            r = one["next"]
    return best if best < math.inf else 0.0


@inline
def push_end(k: Any, size: int, t: float, cores: int) -> None:
    """Add an end to the heap of `size` ends."""
    hole = size
    while hole > 0 and k.end_t[(hole - 1) >> 1] > t:
        k.end_t[hole], k.end_c[hole] = k.end_t[(hole - 1) >> 1], k.end_c[(hole - 1) >> 1]
        hole = (hole - 1) >> 1
    k.end_t[hole], k.end_c[hole] = t, cores


@inline
def pop_end(k: Any, size: int) -> int:
    """Take the first end out of the heap of `size`; return its cores."""
    taken, last = k.end_c[0], size - 1
    t, cores = k.end_t[last], k.end_c[last]
    hole, below = 0, 1
    while below < last:
        if below + 1 < last and k.end_t[below + 1] < k.end_t[below]:
            below += 1
        if t <= k.end_t[below]:
            break
        k.end_t[hole], k.end_c[hole] = k.end_t[below], k.end_c[below]
        hole, below = below, 2 * below + 1
    k.end_t[hole], k.end_c[hole] = t, cores
    return taken


@inline
def arrival(w: Any, e: int, j: int) -> float:
    """When job j can be placed, s: now, if it has arrived."""
    return max(w.grids[e]["clock"], w.jobs[e, j]["arrival"])


@inline
def order_jobs(w: Any, k: Any, e: int, s: int, extra: int, without: int) -> int:
    """Order the jobs that will wait at site s by when their input is complete; return how many.

    They are the waiting jobs, the planned ones, and `extra` (-1 none) but not `without`. An input
    that a planned job has brought by then is read locally.
    """
    size, own = 0, 0
    for i in range(k.first[s], k.first[s] + k.length[s]):
        k.item[size], k.item_ready[size] = k.waiting[i], k.ready[i]
        size += 1
    i, open_ = 0, extra >= 0
    while i < k.planned_count[s] or open_:
        j = k.planned[s, i] if i < k.planned_count[s] else -1
        if open_ and (j < 0 or arrival(w, e, extra) <= arrival(w, e, j)):
            j, open_ = extra, False
        else:
            i += 1
            if j == without:
                continue
        came = arrival(w, e, j)
        ready = came + fetch(w, k, e, j, s)
        if w.rules[0]["storage"] > 0 and w.jobs[e, j]["input_bytes"] > 0.0:
            for other in range(own):
                if (
                    w.jobs[e, k.own[other]]["dataset"] == w.jobs[e, j]["dataset"]
                    and k.own_ready[other] <= came
                ):
                    size_ = w.jobs[e, j]["input_bytes"]
                    ready = min(ready, came + w.links[s, 0, s] + size_ * w.links[s, 1, s])
        k.own[own], k.own_ready[own] = j, ready
        own += 1
        hole = size
        while hole > 0 and k.item_ready[hole - 1] > ready:
            k.item[hole], k.item_ready[hole] = k.item[hole - 1], k.item_ready[hole - 1]
            hole -= 1
        k.item[hole], k.item_ready[hole] = j, ready
        size += 1
    return size


@no_inline
def site_value(w: Any, k: Any, e: int, s: int, extra: int, without: int, keep: bool) -> float:
    """Sum of the expected ln slowdowns of all jobs that will wait at site s (see `order_jobs`).

    keep: store the order in which they start.
    """
    if k.first[s + 1] - k.first[s] + k.planned_count[s] + 2 > ITEMS:
        return math.inf
    items = order_jobs(w, k, e, s, extra, without)
    site, first, now = w.sites[e, s], w.site_static[s]["first_run"], w.grids[e]["clock"]
    ends = site["running"]
    for i in range(ends):  # the simulator's heap is in heap order already
        k.end_t[i] = w.heap[e, first + i]["time"]
        k.end_c[i] = w.job_states[e, w.heap[e, first + i]["job"]]["cores"]
    free, t, total = site["free"], now, 0.0
    change, change_t, competing = (
        site["load_changes"] + 1,
        site["load_change"],
        site["competing_cores"],
    )
    opens = now
    if w.site_status[e, s]["status"] == DOWN:
        opens = now + w.rules[0]["step_s"] / (1.0 - math.exp(w.rules[0]["stay_down"]))
    pilot = w.rules[0]["pilot_s"]
    for i in range(items):
        j = k.item[i]
        cores, run = w.jobs[e, j]["cores"], true_run(w, e, s, j)
        t = max(t, max(opens, k.item_ready[i]))
        while True:
            end = k.end_t[0] if ends > 0 else math.inf
            due = min(end, change_t)
            if due > t:
                if free >= cores:
                    break
                if due == math.inf:
                    return math.inf
                t = due
            if end <= change_t:
                free += pop_end(k, ends)
                ends -= 1
            else:
                level = k.levels[e, s, min(change, CHANGES - 1)]
                free -= level - competing
                competing = level
                change += 1
                change_t = change_time(w, s, change) if change < CHANGES else math.inf
        if keep:
            k.orders[0, s, i], k.orders[1, s, i] = k.item_ready[i], t
        free -= cores
        push_end(k, ends, t + pilot + run, cores)
        ends += 1
        total += expected_ln(w, e, s, j, t + pilot + run, run, arrival(w, e, j))
    if keep:
        k.ordered[s] = items
    return total


entry = entry_decorator(Path(__file__).parent, Path(simulator.__file__ or ".").parent)
"""Decorator of functions that Python calls; recompiled when the simulator changes."""
