"""What happens between two decisions; knows events, never who decides or sees.

The invariant: at every site free + used + others + dark == cores, and the line's head has not
started only if its cores are not free or the site is down. Events run in the order of time; at
equal times first those of the sites by number (at one site: an end by job, a change of the
competing load, a turn up or down, the loss of the running jobs), then the ends of flows by job,
then the agenda (stage-ins by job, cancellations by job), then the time limits (assigned,
activated), then the reading of the counters, then arrivals.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inner, shared
from panda_gym.jit.heap import pop, push, take_out
from panda_gym.simulator import flows
from panda_gym.simulator.competing import change_load
from panda_gym.simulator.events import (
    ACTIVATION,
    CORES_TAKEN,
    END,
    FLOW_END,
    NOBODY,
    RETRY,
    SITE_BROWN,
    SITE_DOWN,
    SITE_UP,
    note,
)
from panda_gym.simulator.failures import fate, pilot_delay
from panda_gym.simulator.limits import line_up_activated, overdue
from panda_gym.simulator.outages import turn
from panda_gym.simulator.queues import enqueue, next_start
from panda_gym.simulator.state import (
    ACTIVATED,
    ACTIVATED_LIMIT,
    ASSIGNED,
    ASSIGNED_LIMIT,
    BLOCK,
    BROWN,
    BY_HAND,
    CANCELLED,
    CLOSED,
    DOWN,
    FAILED,
    FINISHED,
    HEARTBEAT,
    NO_CAUSE,
    PENDING,
    PRIORITY,
    RUNNING,
)
from panda_gym.simulator.storage import complete, release, write_output

STAGED: Final = 0
CANCEL: Final = 1
"""Kinds of entries of the agenda: their jobs stand there as kind x KIND + job."""
KIND: Final[Any] = np.int64(1 << 40)
RECENT: Final = 50.0
"""Attempts over which a site's recent share of failures is averaged (exponentially)."""


@inner
def predicted_run(w: Any, e: int, s: int, j: int) -> float:
    """Run time of job j at site s as predicted, s."""
    job = w.jobs[e, j]
    return job["workload_pred"] / (job["cores"] * w.places[s]["speed"])


@inner
def true_run(w: Any, e: int, s: int, j: int) -> float:
    """Run time of job j at site s, its own noise included, s; if nothing goes wrong."""
    job = w.jobs[e, j]
    return job["workload_true"] / (job["cores"] * w.places[s]["speed"]) * job["noise"]


@inner
def note_event(w: Any, e: int, s: int) -> None:
    """Enter the next event of site s where the earliest is looked for."""
    site = w.sites[e, s]
    when = site["change"]
    if w.rules[0]["outages"] > 0:
        when = min(when, min(w.gates[e, s]["turn"], w.gates[e, s]["lost"]))
    if site["running"] > 0:
        when = min(when, w.heap[e, w.places[s]["first_run"]]["time"])
    events, block = w.events[e], s // BLOCK
    events[w.blocks + s] = when
    leader, least = w.leaders[e, block], events[block]
    if when < least or (when == least and s < leader):
        w.leaders[e, block] = s
        events[block] = when
    elif leader == s:
        find_leader(w, e, block)


@inner
def find_leader(w: Any, e: int, block: int) -> None:
    """Look for the site of a block whose next event comes first; the lowest number of several."""
    events, leader = w.events[e], block * BLOCK
    least = events[w.blocks + leader]
    for s in range(leader + 1, leader + BLOCK):
        when = events[w.blocks + s]
        leader = s if when < least else leader
        least = when if when < least else least
    w.leaders[e, block] = leader
    events[block] = least


@inner
def promise(w: Any, e: int, s: int, j: int, sign: float) -> None:
    """Job j joins (1) or leaves (-1) what waits at site s: assigned or activated."""
    site, cores = w.sites[e, s], w.jobs[e, j]["cores"]
    site["promised"] += int(sign) * cores
    site["queue_pred"] += sign * (cores * predicted_run(w, e, s, j))
    site["queue_true"] += sign * (cores * true_run(w, e, s, j))
    if site["promised"] == 0:  # rounding must not pile up over a long episode
        site["queue_pred"] = 0.0
        site["queue_true"] = 0.0


@inner
def start(w: Any, e: int, s: int, j: int, t: float) -> None:
    """Job j takes its cores at site s."""
    site, job, track = w.sites[e, s], w.jobs[e, j], w.tracks[e, j]
    cores = job["cores"]
    pred, true = predicted_run(w, e, s, j), true_run(w, e, s, j)
    run, cause = fate(w, e, s, j, true)
    begin = t + pilot_delay(w, e, j)
    w.attempts[e, j]["taken"] = t
    track["cause"] = cause
    track["state"] = RUNNING
    track["start"] = begin
    track["end"] = begin + run
    track["pred_end"] = begin + pred
    ideal = true * w.places[s]["speed"] / w.top_speed
    slowdown = (track["end"] - w.attempts[e, j]["born"]) / max(ideal, w.bound_s)
    track["ln_slowdown"] = math.log(max(1.0, slowdown))
    promise(w, e, s, j, -1.0)
    site["run_pred"] += cores * track["pred_end"]
    site["run_true"] += cores * track["end"]
    site["free"] -= cores
    site["used"] += cores
    push(w.heap[e], w.places[s]["first_run"], site["running"], track["end"], j)
    site["running"] += 1
    note(w, e, CORES_TAKEN, t, j, s, cores, 0.0)


@inner
def start_waiting(w: Any, e: int, s: int, t: float) -> None:
    """Start what can start at site s, and enter its next event."""
    site = w.sites[e, s]
    if site["head"] >= 0 and w.gates[e, s]["status"] != DOWN:
        j = next_start(w, e, s, t)
        while j >= 0:
            site["activated"] -= 1
            start(w, e, s, j, t)
            j = next_start(w, e, s, t)
    note_event(w, e, s)


@inner
def activate(w: Any, e: int, j: int, t: float) -> None:
    """The input of job j is there: it joins its site's line, from which it has yet to start."""
    track = w.tracks[e, j]
    complete(w, e, j, t)
    track["activation"] = t
    if track["cores"] == 0:  # a replication: nothing is to run
        track["state"] = FINISHED
        track["end"] = t
        release(w, e, j)
        return
    track["state"] = ACTIVATED
    note(w, e, ACTIVATION, t, j, track["site"], NOBODY, 0.0)
    enqueue(w, e, track["site"], j)
    line_up_activated(w, e, j)


@inner
def give_back(w: Any, e: int, s: int, j: int) -> None:
    """Job j, just taken off the running ones of site s, gives its cores back."""
    site, track = w.sites[e, s], w.tracks[e, j]
    cores = track["cores"]
    site["running"] -= 1
    site["used"] -= cores
    site["free"] += cores
    site["run_pred"] -= cores * track["pred_end"]
    site["run_true"] -= cores * track["end"]
    if site["running"] == 0:  # rounding must not pile up over a long episode
        site["run_pred"] = 0.0
        site["run_true"] = 0.0


@shared
def come_back(w: Any, e: int, s: int, j: int, t: float) -> None:
    """Attempt j did not finish: the job's next attempt arrives after the retry delay."""
    grid = w.grids[e]
    r = grid["rows"]
    grid["rows"] = r + 1
    w.jobs[e, r] = w.jobs[e, j]
    w.attempts[e, r] = w.attempts[e, j]
    w.jobs[e, r]["arrival"] = t + w.rules[0]["retry_s"]
    if w.rules[0]["storage"] == 0:
        for k in range(w.replicas.shape[2]):
            w.replicas[e, r, k] = w.replicas[e, j, k]
    one = w.attempts[e, r]
    one["attempt"] += 1
    blank(w, e, r)
    push(w.heap[e], w.rules[0]["first_return"], grid["returning"], w.jobs[e, r]["arrival"], r)
    grid["returning"] += 1
    note(w, e, RETRY, t, r, s, j, 0.0)


@inner
def blank(w: Any, e: int, j: int) -> None:
    """Nothing has happened to row j yet."""
    track, one = w.tracks[e, j], w.attempts[e, j]
    track["activation"] = track["start"] = track["end"] = track["pred_end"] = math.nan
    track["ln_slowdown"] = track["output"] = one["moved"] = 0.0
    track["site"] = track["next"] = track["replica"] = -1
    track["state"], track["cause"] = PENDING, NO_CAUSE
    one["placed"] = one["taken"] = math.nan
    one["source"] = -1


@inner
def settle(w: Any, e: int, s: int, j: int, t: float, state: int, cause: int) -> None:
    """Attempt j, no longer at work nor in line at site s, leaves in its last state."""
    grid, track, one, gate = w.grids[e], w.tracks[e, j], w.attempts[e, j], w.gates[e, s]
    grid["area"] += (t - grid["clock"]) * grid["unfinished"]
    grid["clock"] = t
    grid["unfinished"] -= 1
    track["state"] = state
    track["end"] = t
    track["cause"] = cause
    note(w, e, END, t, j, s, state, 0.0)
    release(w, e, j)
    gate["recent"] += ((0.0 if state == FINISHED else 1.0) - gate["recent"]) / RECENT
    if state == FINISHED:
        grid["ended_gflop"] += track["cores"] * w.places[s]["speed"] * (t - track["start"])
        write_output(w, e, s, j, t)
    else:
        grid["closures"] += 1 if state == CLOSED else 0
        grid["failures"] += 1 if state == FAILED else 0
        if one["taken"] <= t:
            grid["wasted"] += track["cores"] * (t - one["taken"])
        if state != CANCELLED and one["attempt"] < w.rules[0]["attempts"]:
            come_back(w, e, s, j, t)
            return
        ideal = true_run(w, e, s, j) * w.places[s]["speed"] / w.top_speed
        slowdown = (t - one["born"]) / max(ideal, w.bound_s)
        track["ln_slowdown"] = math.log(max(1.0, slowdown))
    grid["ended"] += 1
    grid["ended_ln"] += track["ln_slowdown"]
    if w.rules[0]["discipline"] == PRIORITY:
        w.datasets[e, w.jobs[e, j]["dataset"]]["jobs"] -= 1


@inner
def end(w: Any, e: int, s: int, t: float) -> None:
    """The first of the running jobs of site s ends and gives its cores back."""
    j = pop(w.heap[e], w.places[s]["first_run"], w.sites[e, s]["running"])
    cause = w.tracks[e, j]["cause"]
    give_back(w, e, s, j)
    settle(w, e, s, j, t, FINISHED if cause == NO_CAUSE else FAILED, cause)


@shared
def lose(w: Any, e: int, s: int, t: float) -> None:
    """Site s has been silent for too long: its running jobs have failed."""
    w.gates[e, s]["lost"] = math.inf
    while w.sites[e, s]["running"] > 0:
        j = pop(w.heap[e], w.places[s]["first_run"], w.sites[e, s]["running"])
        give_back(w, e, s, j)
        settle(w, e, s, j, t, FAILED, HEARTBEAT)


@shared
def withdraw(w: Any, e: int, j: int, t: float, state: int, cause: int) -> None:
    """Job j leaves before it runs, or in the middle of its run, whatever state it is in."""
    track = w.tracks[e, j]
    s, was = track["site"], track["state"]
    site, first = w.sites[e, s], w.places[s]["first_run"]
    if was == RUNNING:
        place = 0
        while w.heap[e, first + place]["job"] != j:
            place += 1
        take_out(w.heap[e], first, site["running"], place)
        give_back(w, e, s, j)
    else:
        promise(w, e, s, j, -1.0)
        if was == ACTIVATED:
            site["activated"] -= 1
        else:
            site["assigned"] -= 1
            if w.rules[0]["level"] > 0 and w.flows[e, j]["place"] >= 0:
                stop_flow(w, e, j, t)
    settle(w, e, s, j, t, state, cause)


@shared
def stop_flow(w: Any, e: int, j: int, t: float) -> None:
    """The flow of job j has ended or is cut off: the others go faster."""
    flow, target = w.flows[e, j], w.flows[e, j]["target"]
    left = flow["left"] - flow["rate"] * max(0.0, t - flow["since"])
    done = w.attempts[e, j]["moved"] - max(0.0, left)
    note(w, e, FLOW_END, t, j, target, flow["source"], done)
    flows.leave(w, e, j)
    flows.share(w, e, flow["source"], target, t, -1)


@inner
def site_event(w: Any, e: int, s: int, t: float) -> None:
    """The next event of site s, at time t."""
    site, gate = w.sites[e, s], w.gates[e, s]
    first = w.heap[e, w.places[s]["first_run"]]["time"] if site["running"] > 0 else math.inf
    if first <= t:
        end(w, e, s, t)
    elif site["change"] <= t:
        change_load(w, e, s)
    elif gate["turn"] <= t:
        turn(w, e, s)
        status = gate["status"]
        cores = w.places[s]["cores"] - site["dark"]
        if status == DOWN:
            note(w, e, SITE_DOWN, t, NOBODY, s, 0, 0.0)
        elif status == BROWN:
            note(w, e, SITE_BROWN, t, NOBODY, s, cores, 0.0)
        else:
            note(w, e, SITE_UP, t, NOBODY, s, cores, 0.0)
    else:
        lose(w, e, s, t)


@inner
def earliest_site(w: Any, e: int) -> int:
    """The site whose next event comes first; the lowest number of several."""
    events = w.events[e]
    block, least = 0, events[0]
    for other in range(1, w.blocks):
        when = events[other]
        block = other if when < least else block
        least = when if when < least else least
    return w.leaders[e, block]


@inner
def next_return(w: Any, e: int) -> float:
    """When the next job comes back, s; inf: none."""
    if w.grids[e]["returning"] == 0:
        return math.inf
    return w.heap[e, w.rules[0]["first_return"]]["time"]


@inner
def advance(w: Any, e: int, until: float) -> bool:
    """Let everything happen that is due at or before `until`; inf: until no job is left.

    Stops, and returns False, as soon as a job is to come back before `until`.
    """
    grid = w.grids[e]
    while grid["unfinished"] > 0 or until < math.inf:
        if next_return(w, e) < until:
            return False
        s = earliest_site(w, e)
        due = w.events[e, w.blocks + s]
        flow = w.flow_heap[e, 0]["time"] if grid["flows"] > 0 else math.inf
        entry = w.heap[e, w.first_staged]["time"] if grid["agenda"] > 0 else math.inf
        t = min(min(due, flow), min(entry, grid["limit"]))
        if t > until or t == math.inf:
            grid["next_site"] = s
            break
        # What the event is about: a stage-in that ends, or a job that is taken out.
        arrived, gone, state, cause = -1, -1, CLOSED, ASSIGNED_LIMIT
        if due <= t:
            site_event(w, e, s, t)
        elif flow <= t:
            arrived = w.flow_heap[e, 0]["job"]
            stop_flow(w, e, arrived, t)
        elif entry <= t:
            first = pop(w.heap[e], w.first_staged, grid["agenda"])
            grid["agenda"] -= 1
            if first < CANCEL * KIND:
                arrived = first if w.tracks[e, first]["state"] == ASSIGNED else -1
            elif w.tracks[e, first - CANCEL * KIND]["state"] < FINISHED:
                gone, state, cause = first - CANCEL * KIND, CANCELLED, BY_HAND
        else:
            gone = overdue(w, e)
            if gone >= 0 and w.tracks[e, gone]["state"] == ACTIVATED:
                cause = ACTIVATED_LIMIT
        if arrived >= 0:
            s = w.tracks[e, arrived]["site"]
            w.sites[e, s]["assigned"] -= 1 if w.tracks[e, arrived]["cores"] > 0 else 0
            activate(w, e, arrived, t)
        elif gone >= 0:
            s = w.tracks[e, gone]["site"]
            withdraw(w, e, gone, t, state, cause)
        start_waiting(w, e, s, t)
    if until < math.inf:
        grid["area"] += (until - grid["clock"]) * grid["unfinished"]
        grid["clock"] = until
    return next_return(w, e) >= until
