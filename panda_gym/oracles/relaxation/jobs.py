"""What a judged job may do, alone on the grid: where it may run, or how it may end unfinished.

The draws of an attempt are known: at which sites it fails, and after how long. So the options of
an attempt are the sites at which it does not fail, and its earliest arrival follows from the
least time in which the attempts before it can fail. A job may also end unfinished: cancelled, or
with its last attempt failed, closed by a limit, or lost with its site. That takes no cores here.

The time of a transfer is the least over the sites that may hold the input. Where replicas come and
go, any site may hold what another job has read, and a transfer may have begun with that job.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.jit.counter_rng import CANCEL_TIME, CANCELS, job_draw
from panda_gym.oracles.forecast import entry
from panda_gym.oracles.relaxation.sites import MONTH_S
from panda_gym.simulator.compiled_api import (
    NO_CAUSE,
    draw_failure,
    next_loss,
    pilot_delay,
    primary,
    read_time,
    true_run,
    world_of,
)


@inline
def ln_slowdown(y: Any, i: int, end: float) -> float:
    """ln of the bounded slowdown of job i if it ends at `end`."""
    return math.log(max(1.0, (end - y.came[i]) / y.ideal[i]))


@no_inline
def input_time(w: Any, e: int, j: int, s: int, shared: bool) -> float:
    """Least time to read the input of job j at site s, s; shared: any site may hold it."""
    best = math.inf
    if not w.jobs[e, j]["input_bytes"] > 0.0:
        return 0.0
    for i in range(3):
        held = primary(w, e, j, i)
        if held >= 0:
            best = min(best, read_time(w, e, j, held, s))
    if shared:
        for r in range(len(w.site_static)):
            best = min(best, read_time(w, e, j, r, s))
    return best if best < math.inf else 0.0


@inline
def earliest_input(w: Any, e: int, j: int, s: int, since: float, placed: float) -> float:
    """When the input of job j, placed at `placed`, may be complete at site s at the earliest, s.

    since: arrival of the first job that reads it; it is the job itself if no other has come.
    """
    time = input_time(w, e, j, s, since < placed)
    return max(placed, min(since, placed) + time)


@no_inline
def alone(x: Any, s: int, cores: int, ready: float) -> float:
    """Earliest time at `ready` or later at which site s has left so many cores, s; inf: never."""
    t = max(ready, x.opens[s])
    low, high = 0, x.points[s]
    while low < high:  # points at t or before
        middle = (low + high) >> 1
        if x.time[s, middle] <= t:
            low = middle + 1
        else:
            high = middle
    i = max(low - 1, 0)
    while i < x.points[s] and x.left[s, i] < cores:
        i += 1
    return max(t, x.time[s, i]) if i < x.points[s] else math.inf


@no_inline
def least_failure(w: Any, e: int, j: int, placed: float) -> float:
    """When an attempt of job j placed at `placed` may end without a whole run, at the earliest."""
    least, rules = math.inf, w.rules[0]
    pilot = pilot_delay(w, e, j)
    for s in range(len(w.site_static)):
        if w.site_static[s]["cores"] >= w.jobs[e, j]["cores"]:
            run, cause = draw_failure(w, e, s, j, true_run(w, e, s, j))
            if cause != NO_CAUSE:
                least = min(least, placed + pilot + run)
            if rules["outages"] > 0 and rules["heartbeat_s"] < math.inf:
                least = min(least, next_loss(w, e, s, placed, min(least, placed + MONTH_S)))
    if rules["limits"] > 0:
        least = min(least, placed + min(rules["assigned_s"], rules["activated_s"]))
    return least


@inline
def cancelled_at(w: Any, e: int, j: int) -> float:
    """When job j, placed at its arrival, is cancelled, s; inf: never."""
    rules, one = w.rules[0], w.attempts[e, j]
    if not job_draw(one["key"], 1, CANCELS) < rules["cancelled"]:
        return math.inf
    return w.jobs[e, j]["arrival"] + 2.0 * rules["cancel_s"] * job_draw(one["key"], 1, CANCEL_TIME)


@inline
def insert_option(
    y: Any, first: int, found: int, most: int, s: int, t: float, hold: float, cost: float
) -> None:
    """Insert an option into those of a job, by cost; the costliest of `most` falls out."""
    hole = first + min(found, most - 1)
    while hole > first and y.cost[hole - 1] > cost:
        y.site[hole], y.begin[hole] = y.site[hole - 1], y.begin[hole - 1]
        y.hold[hole], y.cost[hole] = y.hold[hole - 1], y.cost[hole - 1]
        hole -= 1
    y.site[hole], y.begin[hole], y.hold[hole], y.cost[hole] = s, t, hold, cost


@no_inline
def add_options(
    w: Any, x: Any, y: Any, e: int, i: int, placed: float, since: float, found: int, most: int
) -> int:
    """Add the sites at which the present attempt of job i, placed at `placed`, runs whole.

    Return how many options it has. What does not fit into `most` options costs at least what the
    cheapest of them does, without taking cores.
    """
    j, first = y.row[i], y.first[i]
    pilot = pilot_delay(w, e, j)
    for s in range(len(w.site_static)):
        if w.site_static[s]["cores"] < y.cores[i]:
            continue
        run, cause = draw_failure(w, e, s, j, true_run(w, e, s, j))
        if cause != NO_CAUSE:
            continue
        t = alone(x, s, y.cores[i], earliest_input(w, e, j, s, since, placed))
        cost = ln_slowdown(y, i, t + pilot + run) if t < math.inf else math.inf
        if cost >= y.unfinished[i]:
            continue
        if found == most:
            y.unfinished[i] = min(y.unfinished[i], max(cost, y.cost[first + most - 1]))
        if found < most or cost < y.cost[first + most - 1]:
            insert_option(y, first, found, most, s, t, pilot + run, cost)
            found = min(found + 1, most)
    return found


@no_inline
def describe_job(w: Any, x: Any, y: Any, e: int, i: int, since: float, most: int) -> int:
    """Write job i and its options; return how many."""
    j, rules = y.row[i], w.rules[0]
    one, found = w.attempts[e, j], 0
    y.cores[i], y.came[i] = w.jobs[e, j]["cores"], one["first_arrival"]
    ideal = true_run(w, e, 0, j) * w.site_static[0]["speed"] / w.top_speed
    y.ideal[i] = max(ideal, w.bound_s)
    cut, placed, number = cancelled_at(w, e, j), w.jobs[e, j]["arrival"], one["attempt"]
    y.unfinished[i] = ln_slowdown(y, i, cut) if cut < math.inf else math.inf
    for attempt in range(number, rules["attempts"] + 1):
        one["attempt"] = attempt  # the draws of a later attempt are those of its number
        found = add_options(w, x, y, e, i, placed, since, found, most)
        ends = least_failure(w, e, j, placed)
        if ends == math.inf:
            break
        if attempt == rules["attempts"]:
            y.unfinished[i] = min(y.unfinished[i], ln_slowdown(y, i, ends))
        placed = ends + rules["retry_s"]
        since = min(since, w.jobs[e, j]["arrival"])
    one["attempt"] = number
    return found


@entry
def describe_jobs(table: Any, x: Any, y: Any, e: int, since: Any, most: int) -> None:
    """Write the judged jobs of grid e, at most `most` options each, see `Jobs`.

    since: float64[J], arrival of the first job that reads the input of each, s.
    """
    w = world_of(table)
    y.first[0] = 0
    for i in range(len(y.row)):
        y.first[i + 1] = y.first[i] + describe_job(w, x, y, e, i, since[i], most)
