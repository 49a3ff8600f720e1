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
    ASSIGNED,
    carrier,
    change_time,
    competing_level,
    first_joined,
    normal,
    primary,
    staged_row,
    transfer_end,
)

Array = np.ndarray

CHANGES: Final = 1200
"""Changes of the competing load in the forecast of a site; the load is constant from then on."""
ITEMS: Final = 1536
"""Most jobs on their way to one site or planned there; no more are planned."""


CHAIN: Final = 5
"""Most jobs that the planner moves together."""
CHAIN_SITES: Final = 8
"""Sites, the best for the job itself, at which such a chain of moves may begin."""

QUEUED: Final = np.dtype(
    [
        ("ready", "f8"),  # s, when its input is there
        ("start", "f8"),  # s
        ("end", "f8"),  # s
        ("before", "f8"),  # sum of the expected ln slowdowns of the jobs before it
        ("item", "i4"),  # its row
        ("cores", "i4"),
        ("dataset", "i4"),  # that it leaves at the site, if it is planned; -1 none
    ],
    align=True,
)
"""One job of the forecast queue of a site."""

CURSOR: Final = np.dtype(
    [
        ("t", "f8"),  # s, time that the walk has reached
        ("opens", "f8"),  # s, when the site is up
        ("change_t", "f8"),  # s, when the competing load changes next; inf: never
        ("change", "i8"),  # number of that change
        ("competing", "i8"),  # cores of competing work
        ("free", "i8"),  # idle cores
        ("ends", "i8"),  # size of the heap of ends
    ]
)
"""Where a walk along the queue of a site stands."""


BASE: Final = np.dtype(
    [
        ("cursor", CURSOR),  # at the start of the last job of the queue
        ("run_true", "f8"),  # the state of the site for which this holds: SITE's
        ("used", "i4"),
        ("activated", "i4"),
        ("head", "i4"),
        ("tail", "i4"),
        ("load_changes", "i4"),
        ("status_changes", "i4"),  # SITE_STATUS's
        ("known", "i4"),  # 1: the walk has been made
        ("starts", "i4"),  # 1: all jobs of the queue start some time
    ],
    align=True,
)
"""A walk past the jobs of a site's queue, whose order no plan changes: those with their input."""


class Forecast(NamedTuple):
    """Forecast and plan of E grids, and scratch arrays for one of them."""

    base: Array  # BASE[E, S]
    base_first: Array  # int64[S + 1] where the heap of ends of each site begins in the next two
    base_t: Array  # float64[E, ...] heaps of ends, each after that walk, s
    base_i: Array  # int32[E, ...] see `end_i`
    levels: Array  # int32[E, S, CHANGES] cores in competing use from each change on
    plan: Array  # int32[E, R] site planned for each row, -1 none
    # of the present grid
    epoch: Array  # int32[1] number of the time at which the grid is looked at
    ready_epoch: Array  # int32[R, S] when `ready_at` was computed
    ready_at: Array  # float64[R, S] when each job's input would be complete at each site, s
    first: Array  # int32[S + 1] where each site's jobs begin in `waiting`
    waiting: Array  # int32[R] rows collected, by site, in the order in which they will start
    ready: Array  # float64[R] when the input of each of these is there, s
    planned: Array  # int32[S, ITEMS] rows planned for each site, by arrival
    planned_count: Array  # int32[S] how many they are
    value: Array  # float64[S] sum of the expected ln slowdowns of the jobs that follow
    queue: Array  # QUEUED[S, ITEMS] the jobs on their way or planned there, by start
    queued: Array  # int32[S] how many they are
    length: Array  # int32[S] jobs of each site in `waiting`
    # of the present site
    cursor: Array  # CURSOR[1]
    item: Array  # int32[ITEMS]
    item_ready: Array  # float64[ITEMS]
    item_dataset: Array  # int32[ITEMS]
    own_dataset: Array  # int32[ITEMS]
    own_ready: Array  # float64[ITEMS]
    end_t: Array  # float64[...] heap of ends
    end_i: Array  # int32[...] whose: a place in the site's heap of running jobs, or -cores
    candidates: Array  # int32[S]
    candidate_values: Array  # float64[S]
    wait: Array  # float64[S] wait at each site when a job was last tried there, s: a hint
    chain: Array  # int32[CHAIN] jobs moved together
    chain_from: Array  # int32[CHAIN] their sites before
    chain_starts: Array  # int32[CHAIN_SITES] sites at which a chain may begin


def allocate(world: Any) -> Forecast:
    """Return an empty forecast for the grids of a world."""
    grids, sites = world.sites.shape
    rows = world.job_states.shape[1]
    most = 2 * int(world.site_static["cores"].max()) + 2 * ITEMS
    heaps = np.concatenate([[0], np.cumsum(world.site_static["cores"] + 2)])
    return Forecast(
        base=np.zeros((grids, sites), BASE),
        base_first=heaps,
        base_t=np.zeros((grids, heaps[-1])),
        base_i=np.zeros((grids, heaps[-1]), np.int32),
        levels=np.zeros((grids, sites, CHANGES), np.int32),
        plan=np.full((grids, rows), -1, np.int32),
        epoch=np.zeros(1, np.int32),
        ready_epoch=np.zeros((rows, sites), np.int32),
        ready_at=np.zeros((rows, sites)),
        first=np.zeros(sites + 1, np.int32),
        waiting=np.zeros(rows, np.int32),
        ready=np.zeros(rows),
        planned=np.zeros((sites, ITEMS), np.int32),
        planned_count=np.zeros(sites, np.int32),
        value=np.zeros(sites),
        queue=np.zeros((sites, ITEMS), QUEUED),
        queued=np.zeros(sites, np.int32),
        length=np.zeros(sites, np.int32),
        cursor=np.zeros(1, CURSOR),
        item=np.zeros(ITEMS, np.int32),
        item_ready=np.zeros(ITEMS),
        item_dataset=np.zeros(ITEMS, np.int32),
        own_dataset=np.zeros(ITEMS, np.int32),
        own_ready=np.zeros(ITEMS),
        end_t=np.zeros(most),
        end_i=np.zeros(most, np.int32),
        candidates=np.zeros(sites, np.int32),
        candidate_values=np.zeros(sites),
        wait=np.zeros(sites),
        chain=np.zeros(CHAIN, np.int32),
        chain_from=np.zeros(CHAIN, np.int32),
        chain_starts=np.zeros(CHAIN_SITES, np.int32),
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
def arrival(w: Any, e: int, j: int) -> float:
    """When job j can be placed, s: now, if it has arrived."""
    return max(w.grids[e]["clock"], w.jobs[e, j]["arrival"])


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
def insert_staging(w: Any, k: Any, e: int, c: int, t: float) -> None:
    """Insert the jobs whose input the stage-in of row c brings at time t."""
    j, after = c, first_joined(w, e, c)
    while j >= 0:
        if w.job_states[e, j]["state"] == ASSIGNED and w.job_states[e, j]["cores"] > 0:
            insert_waiting(k, w.job_states[e, j]["site"], j, t)
        j = after
        after = w.job_states[e, j]["next"] if j >= 0 else -1


@no_inline
def insert_all_staging(w: Any, k: Any, e: int) -> None:
    """Insert the jobs of grid e whose input is on its way."""
    grid = w.grids[e]
    for entry in range(grid["queued_events"]):
        c = staged_row(w, e, entry)
        if c >= 0:
            insert_staging(w, k, e, c, w.heap[e, w.first_staged + entry]["time"])
    for entry in range(grid["flows"]):
        insert_staging(w, k, e, w.flow_heap[e, entry]["job"], w.flow_heap[e, entry]["time"])


@no_inline
def collect_staging(w: Any, k: Any, e: int) -> None:
    """Collect the jobs of each site whose input is on its way, ordered by when it is complete."""
    k.epoch[0] += 1
    k.first[0] = 0
    for s in range(len(w.site_static)):
        k.first[s + 1] = k.first[s] + w.sites[e, s]["assigned"]
        k.length[s] = 0
    insert_all_staging(w, k, e)


@no_inline
def collect_waiting(w: Any, k: Any, e: int) -> None:
    """Collect the waiting jobs of each site of grid e, ordered by when their input is complete."""
    n = len(w.site_static)
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
    insert_all_staging(w, k, e)


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
def input_ready(w: Any, k: Any, e: int, j: int, s: int) -> float:
    """When the input of job j would be complete at site s, by the present replicas, s (cached)."""
    if k.ready_epoch[j, s] != k.epoch[0]:
        k.ready_epoch[j, s] = k.epoch[0]
        c = carrier(w, e, s, j)
        if c >= 0:
            k.ready_at[j, s] = joined(w, e, j, s, transfer_end(w, e, c))
        else:
            k.ready_at[j, s] = arrival(w, e, j) + least_time(w, e, j, s)
    return k.ready_at[j, s]


@inline
def joined(w: Any, e: int, j: int, s: int, brought: float) -> float:
    """When job j at site s has the input that a transfer brings at time `brought`, s."""
    came = arrival(w, e, j)
    return brought if brought >= came else came + local_time(w, e, j, s)


@inline
def local_time(w: Any, e: int, j: int, s: int) -> float:
    """Time to read the input of job j at site s from its own disk, s."""
    return w.links[s, 0, s] + w.jobs[e, j]["input_bytes"] * w.links[s, 1, s]


@no_inline
def least_time(w: Any, e: int, j: int, s: int) -> float:
    """Least time to read the input of job j at site s from its present replicas, s."""
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


entry = entry_decorator(Path(__file__).parent, Path(simulator.__file__ or ".").parent)
"""Decorator of functions that Python calls; recompiled when the simulator changes."""
