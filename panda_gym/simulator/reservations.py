"""Conservative backfilling: every waiting job holds a reservation that no later job may delay.

Convention (Mu'alem and Feitelson, IEEE TPDS 12, 2001):

    slot         a job's cores from its start until pilot delay and estimated run time have passed
    estimate     the requested wall time where given, else the predicted run time (`run_times`)
    reservation  the earliest slot that fits beside the running jobs and all other reservations,
                 made when the job enters the queue
    compression  at every other event of the site each job, in the order of activation, gives its
                 slot back and takes the earliest one; all others keep theirs meanwhile
    renewal      where a reservation cannot be kept, all are made anew in that order: one is due in
                 the past (a job ran longer than estimated), or needs cores that the site has lost
                 (competing work, a brown-out)
    start        a job whose slot begins now starts if its cores are idle
    overdue      a running job past its estimated end counts as ended now

A job wider than the cores left for the broker holds no reservation until the site has them again.
Only the first `reservations` waiting jobs hold one. Jobs behind them start if they delay none; so
`reservations=1` is EASY backfilling. No reservation is made while the site is down.

An event costs O(n (n + r)) for n reservations and r running jobs; a job that enters behind them
while no core is idle costs nothing.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.jit.heap import pop, push
from panda_gym.simulator.failures import pilot_delay
from panda_gym.simulator.run_times import estimated_run
from panda_gym.simulator.state import ACTIVATED, RUNNING


@inline
def slot_end(w: Any, e: int, s: int, j: int, begin: float) -> float:
    """End of the slot of job j at site s that begins at `begin`, s."""
    return (begin + pilot_delay(w, e, j)) + estimated_run(w, e, s, j)


@no_inline
def plan(w: Any, e: int, s: int, t: float, entered: int) -> None:
    """Make reservations at site s at time t, and compress them unless jobs have just `entered`.

    Afterwards `reserved` is t for the jobs that start now, as far as their cores are idle.
    """
    site, most = w.sites[e, s], w.rules[0]["reservations"]
    if entered > 0 and site["free"] <= 0 and site["activated"] - entered >= most:
        return
    levels = write_available(w, e, s, t, True)
    if levels == 0:
        clear_reservations(w, e, s)
        levels = write_available(w, e, s, t, False)
    idle, held, j = site["free"], 0, site["head"]
    while j >= 0 and (held < most or idle > 0):
        job_state = w.job_states[e, j]
        if job_state["state"] == ACTIVATED:
            if held < most:
                if entered == 0 or w.requests[e, j]["reserved"] == math.inf:
                    levels = compress(w, e, s, j, levels)
            elif job_state["cores"] <= idle and fits_now(w, e, s, j, levels):
                levels = reserve(w, e, s, j, t, levels)
            if w.requests[e, j]["reserved"] == t and job_state["cores"] <= idle:
                idle -= job_state["cores"]
            else:
                held += 1
        j = job_state["next"]


@no_inline
def clear_reservations(w: Any, e: int, s: int) -> None:
    """Give up all reservations of site s."""
    j = w.sites[e, s]["head"]
    while j >= 0:
        w.requests[e, j]["reserved"] = math.inf
        j = w.job_states[e, j]["next"]


@no_inline
def compress(w: Any, e: int, s: int, j: int, levels: int) -> int:
    """Move the reservation of job j at site s to the earliest slot; return the number of levels."""
    available, cores, k = w.available[e], w.job_states[e, j]["cores"], 0
    begin = w.requests[e, j]["reserved"]
    while k < levels and available[k]["time"] < begin and available[k]["free"] < cores:
        k += 1
    if k < levels and available[k]["time"] >= begin:  # no level before has the cores
        return levels
    if begin < math.inf:
        occupy(w, e, begin, slot_end(w, e, s, j, begin), -cores, levels)
    begin = earliest(w, e, s, j, levels)
    w.requests[e, j]["reserved"] = begin
    return reserve(w, e, s, j, begin, levels) if begin < math.inf else levels


@no_inline
def reserve(w: Any, e: int, s: int, j: int, begin: float, levels: int) -> int:
    """Reserve the slot of job j at site s from `begin` on; return the number of levels."""
    end = slot_end(w, e, s, j, begin)
    w.requests[e, j]["reserved"] = begin
    levels = split(w, e, begin, levels)
    levels = split(w, e, end, levels)
    occupy(w, e, begin, end, w.job_states[e, j]["cores"], levels)
    return levels


@no_inline
def earliest(w: Any, e: int, s: int, j: int, levels: int) -> float:
    """Begin of the earliest slot for job j at site s, s; inf: the site lacks the cores."""
    available, cores, k = w.available[e], w.job_states[e, j]["cores"], 0
    delay, run = pilot_delay(w, e, j), estimated_run(w, e, s, j)
    while k < levels:
        if available[k]["free"] >= cores:
            end, first = (available[k]["time"] + delay) + run, k
            k += 1
            while k < levels and available[k]["time"] < end and available[k]["free"] >= cores:
                k += 1
            if k == levels or available[k]["time"] >= end:
                return available[first]["time"]
        k += 1
    return math.inf


@no_inline
def fits_now(w: Any, e: int, s: int, j: int, levels: int) -> bool:
    """Whether the slot of job j at site s fits from the first level on."""
    available, cores, k = w.available[e], w.job_states[e, j]["cores"], 1
    end = slot_end(w, e, s, j, available[0]["time"])
    while k < levels and available[k]["time"] < end and available[k]["free"] >= cores:
        k += 1
    return available[0]["free"] >= cores and (k == levels or available[k]["time"] >= end)


@inline
def level_at(available: Any, time: float, levels: int) -> int:
    """The last level that begins at or before `time`."""
    low, high = 0, levels
    while high - low > 1:
        middle = (low + high) >> 1
        if available[middle]["time"] <= time:
            low = middle
        else:
            high = middle
    return low


@no_inline
def split(w: Any, e: int, time: float, levels: int) -> int:
    """Let a level begin at `time`; return the number of levels."""
    available = w.available[e]
    k = level_at(available, time, levels)
    if available[k]["time"] == time:
        return levels
    for later in range(levels, k + 1, -1):
        available[later]["time"] = available[later - 1]["time"]
        available[later]["free"] = available[later - 1]["free"]
    available[k + 1]["time"] = time
    available[k + 1]["free"] = available[k]["free"]
    return levels + 1


@no_inline
def occupy(w: Any, e: int, begin: float, end: float, cores: int, levels: int) -> None:
    """Take `cores` away from `begin` to `end`, at both of which a level begins."""
    available = w.available[e]
    k = level_at(available, begin, levels)
    while k < levels and available[k]["time"] < end:
        available[k]["free"] -= cores
        k += 1


@no_inline
def write_available(w: Any, e: int, s: int, t: float, reserved: bool) -> int:
    """Write the free cores of site s from time t on; return the number of levels.

    Counts running jobs, and the reservations if `reserved`: then 0 if one cannot be kept.
    """
    boundaries, size = w.boundaries[e], 0
    free, first = w.sites[e, s]["free"], w.site_static[s]["first_run"]
    for k in range(w.sites[e, s]["running"]):
        j = w.heap[e, first + k]["job"]
        end = w.job_states[e, j]["start"] + estimated_run(w, e, s, j)
        if end > t:
            push(boundaries, 0, size, end, 2 * j + 1)
            size += 1
        else:
            free += w.job_states[e, j]["cores"]
    if reserved:
        size = push_reserved(w, e, s, t, size)
        if size < 0:
            return 0
    w.available[e, 0]["time"] = t
    w.available[e, 0]["free"] = free
    return sum_up(w, e, size)


@no_inline
def push_reserved(w: Any, e: int, s: int, t: float, size: int) -> int:
    """Push begin and end of every reservation of site s; return the size, -1: one is overdue."""
    boundaries, seen, j = w.boundaries[e], 0, w.sites[e, s]["head"]
    while j >= 0 and seen < w.rules[0]["reservations"]:
        begin = w.requests[e, j]["reserved"]
        if w.job_states[e, j]["state"] == ACTIVATED:
            if begin < t:
                return -1
            if begin < math.inf:
                push(boundaries, 0, size, begin, 2 * j)
                push(boundaries, 0, size + 1, slot_end(w, e, s, j, begin), 2 * j + 1)
                size += 2
            seen += 1
        j = w.job_states[e, j]["next"]
    return size


@no_inline
def sum_up(w: Any, e: int, size: int) -> int:
    """Turn boundaries into levels; return how many, 0: a reservation lacks cores."""
    boundaries, available, levels, held = w.boundaries[e], w.available[e], 1, 0
    free = available[0]["free"]
    while size > 0:
        time = boundaries[0]["time"]
        if time > available[levels - 1]["time"]:
            if held > 0 and free < 0:
                return 0
            available[levels]["time"] = time
            levels += 1
        code = pop(boundaries, 0, size)
        size -= 1
        job_state = w.job_states[e, code >> 1]
        change = job_state["cores"] if code & 1 == 1 else -job_state["cores"]
        free += change
        held -= change if job_state["state"] != RUNNING else 0
        available[levels - 1]["free"] = free
    return levels
