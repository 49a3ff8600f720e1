"""Events between two decisions: starts, ends, transfers, limits, cancellations, outages.

Invariants: at every site free + used + competing_cores + offline_cores == cores, and the first
job of a queue waits only while its cores are not free or the site is down; under conservative
backfilling also while it would delay a reservation. Events run in the
order of the key (time, kind, site, serial) that the table in `state` lists.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.jit.heap import pop, push, remove_at
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
from panda_gym.simulator.expectation import expect
from panda_gym.simulator.failures import draw_failure, pilot_delay
from panda_gym.simulator.limits import pop_overdue, watch_activated
from panda_gym.simulator.outages import change_status
from panda_gym.simulator.queues import enqueue, next_start
from panda_gym.simulator.reservations import plan
from panda_gym.simulator.run_times import predicted_run, true_run
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
    CONSERVATIVE,
    DOWN,
    FAILED,
    FINISHED,
    HEARTBEAT,
    NO_CAUSE,
    PENDING,
    PRIORITY,
    RUNNING,
)
from panda_gym.simulator.storage import (
    carried_replica,
    complete,
    first_joined,
    release,
    write_output,
)

STAGED: Final = 0
CANCEL: Final = 1
"""Kinds of entries of the event queue; an entry is coded as kind x KIND + job."""
KIND: Final[Any] = np.int64(1 << 40)
RECENT: Final = 50.0
"""Attempts over which a site's failure rate is averaged (exponentially)."""


@inline
def schedule_site(w: Any, e: int, s: int) -> None:
    """Enter the next event of site s into `next_events`."""
    site = w.sites[e, s]
    when = site["load_change"]
    if w.rules[0]["outages"] > 0:
        when = min(
            when, min(w.site_status[e, s]["next_change"], w.site_status[e, s]["heartbeat_loss"])
        )
    if site["running"] > 0:
        when = min(when, w.heap[e, w.site_static[s]["first_run"]]["time"])
    events, block = w.next_events[e], s // BLOCK
    events[w.blocks + s] = when
    leader, least = w.block_leaders[e, block], events[block]
    if when < least or (when == least and s < leader):
        w.block_leaders[e, block] = s
        events[block] = when
    elif leader == s:
        update_leader(w, e, block)


@inline
def update_leader(w: Any, e: int, block: int) -> None:
    """Find the site of a block with the earliest event; ties go to the lowest number."""
    events, leader = w.next_events[e], block * BLOCK
    least = events[w.blocks + leader]
    for s in range(leader + 1, leader + BLOCK):
        when = events[w.blocks + s]
        leader = s if when < least else leader
        least = when if when < least else least
    w.block_leaders[e, block] = leader
    events[block] = least


@inline
def commit(w: Any, e: int, s: int, j: int, sign: float) -> None:
    """Add (sign 1) or remove (-1) job j, assigned or activated, to the work committed to site s."""
    site, cores = w.sites[e, s], w.jobs[e, j]["cores"]
    site["committed_cores"] += int(sign) * cores
    site["queue_pred"] += sign * (cores * predicted_run(w, e, s, j))
    site["queue_true"] += sign * (cores * true_run(w, e, s, j))
    if site["committed_cores"] == 0:  # rounding must not accumulate over a long episode
        site["queue_pred"] = 0.0
        site["queue_true"] = 0.0


@inline
def start(w: Any, e: int, s: int, j: int, t: float) -> None:
    """Start job j at site s: it takes its cores."""
    site, job, job_state = w.sites[e, s], w.jobs[e, j], w.job_states[e, j]
    cores = job["cores"]
    pred, true = predicted_run(w, e, s, j), true_run(w, e, s, j)
    run, cause = draw_failure(w, e, s, j, true)
    begin = t + pilot_delay(w, e, j)
    w.attempts[e, j]["starting"] = t
    job_state["cause"] = cause
    job_state["state"] = RUNNING
    job_state["start"] = begin
    job_state["end"] = begin + run
    job_state["pred_end"] = begin + pred
    ideal = true * w.site_static[s]["speed"] / w.top_speed
    one, late = w.attempts[e, j], job_state["end"]
    if cause != NO_CAUSE and one["attempt"] < w.rules[0]["attempts"]:  # its retry takes as long
        late += w.rules[0]["retry_s"] + begin - one["placed"] + true
    slowdown = (late - one["first_arrival"]) / max(ideal, w.bound_s)
    expect(w, e, j, math.log(max(1.0, slowdown)))
    commit(w, e, s, j, -1.0)
    site["run_pred"] += cores * job_state["pred_end"]
    site["run_true"] += cores * job_state["end"]
    site["free"] -= cores
    site["used"] += cores
    push(w.heap[e], w.site_static[s]["first_run"], site["running"], job_state["end"], j)
    site["running"] += 1
    note(w, e, CORES_TAKEN, t, j, s, cores, 0.0)


@inline
def start_waiting(w: Any, e: int, s: int, t: float, entered: int) -> None:
    """Start all jobs that can start at site s, and enter its next event.

    entered: all that has happened is that so many jobs have entered the queue; 0: more has.
    """
    site = w.sites[e, s]
    if site["head"] >= 0 and w.site_status[e, s]["status"] != DOWN:
        if w.rules[0]["discipline"] == CONSERVATIVE:
            plan(w, e, s, t, entered)
        j = next_start(w, e, s, t)
        while j >= 0:
            site["activated"] -= 1
            start(w, e, s, j, t)
            j = next_start(w, e, s, t)
    schedule_site(w, e, s)


@inline
def activate(w: Any, e: int, j: int, t: float) -> None:
    """Put job j, whose input is complete, into its site's queue; starting is a separate step."""
    job_state = w.job_states[e, j]
    complete(w, e, j, t)
    job_state["activation"] = t
    if job_state["cores"] == 0:  # a replication: there is no job to run
        job_state["state"] = FINISHED
        job_state["end"] = t
        release(w, e, j)
        return
    job_state["state"] = ACTIVATED
    note(w, e, ACTIVATION, t, j, job_state["site"], NOBODY, 0.0)
    enqueue(w, e, job_state["site"], j)
    watch_activated(w, e, j)


@inline
def release_cores(w: Any, e: int, s: int, j: int) -> None:
    """Release the cores of job j, just removed from the running jobs of site s."""
    site, job_state = w.sites[e, s], w.job_states[e, j]
    cores = job_state["cores"]
    site["running"] -= 1
    site["used"] -= cores
    site["free"] += cores
    site["run_pred"] -= cores * job_state["pred_end"]
    site["run_true"] -= cores * job_state["end"]
    if site["running"] == 0:  # rounding must not accumulate over a long episode
        site["run_pred"] = 0.0
        site["run_true"] = 0.0


@no_inline
def resubmit(w: Any, e: int, s: int, j: int, t: float) -> None:
    """Create the next attempt of the unfinished attempt j; it arrives after the retry delay."""
    grid = w.grids[e]
    r = grid["rows"]
    grid["rows"] = r + 1
    w.jobs[e, r] = w.jobs[e, j]
    w.attempts[e, r] = w.attempts[e, j]
    if w.rules[0]["requests"] > 0:
        w.requests[e, r] = w.requests[e, j]
    w.jobs[e, r]["arrival"] = t + w.rules[0]["retry_s"]
    if w.rules[0]["storage"] == 0:
        for k in range(w.replicas.shape[2]):
            w.replicas[e, r, k] = w.replicas[e, j, k]
    one = w.attempts[e, r]
    one["attempt"] += 1
    reset_row(w, e, r)
    w.job_states[e, r]["ln_slowdown"] = w.job_states[e, j]["ln_slowdown"]
    push(w.heap[e], w.rules[0]["first_return"], grid["returning"], w.jobs[e, r]["arrival"], r)
    grid["returning"] += 1
    note(w, e, RETRY, t, r, s, j, 0.0)


@inline
def reset_row(w: Any, e: int, j: int) -> None:
    """Reset the state of row j to an attempt that has not been placed."""
    job_state, one = w.job_states[e, j], w.attempts[e, j]
    job_state["activation"] = job_state["start"] = job_state["end"] = job_state["pred_end"] = (
        math.nan
    )
    job_state["ln_slowdown"] = job_state["output"] = one["moved_bytes"] = 0.0
    job_state["site"] = job_state["next"] = job_state["replica"] = -1
    job_state["state"], job_state["cause"] = PENDING, NO_CAUSE
    one["placed"] = one["starting"] = math.nan
    one["source"] = -1
    if w.rules[0]["requests"] > 0:
        w.requests[e, j]["reserved"] = math.inf


@inline
def finish_attempt(w: Any, e: int, s: int, j: int, t: float, state: int, cause: int) -> None:
    """Finish attempt j, already off the queue and the cores of site s, in its final state."""
    grid, job_state, one, site_status = (
        w.grids[e],
        w.job_states[e, j],
        w.attempts[e, j],
        w.site_status[e, s],
    )
    grid["area"] += (t - grid["clock"]) * grid["unfinished"]
    grid["clock"] = t
    grid["unfinished"] -= 1
    job_state["state"] = state
    job_state["end"] = t
    job_state["cause"] = cause
    note(w, e, END, t, j, s, state, 0.0)
    release(w, e, j)
    site_status["failure_rate"] += (
        (0.0 if state == FINISHED else 1.0) - site_status["failure_rate"]
    ) / RECENT
    if state == FINISHED:
        grid["ended_gflop"] += (
            job_state["cores"] * w.site_static[s]["speed"] * (t - job_state["start"])
        )
        write_output(w, e, s, j, t)
    else:
        grid["closures"] += 1 if state == CLOSED else 0
        grid["failures"] += 1 if state == FAILED else 0
        if one["starting"] <= t:
            grid["wasted"] += job_state["cores"] * (t - one["starting"])
        if state != CANCELLED and one["attempt"] < w.rules[0]["attempts"]:
            resubmit(w, e, s, j, t)
            return
        ideal = true_run(w, e, s, j) * w.site_static[s]["speed"] / w.top_speed
        slowdown = (t - one["first_arrival"]) / max(ideal, w.bound_s)
        expect(w, e, j, math.log(max(1.0, slowdown)))
    grid["ended"] += 1
    grid["ended_ln"] += job_state["ln_slowdown"]
    if grid["warmup"] <= one["origin"] < grid["judged"]:
        grid["judged_left"] -= 1
    if w.rules[0]["discipline"] == PRIORITY:
        w.datasets[e, w.jobs[e, j]["dataset"]]["jobs"] -= 1


@inline
def end(w: Any, e: int, s: int, t: float) -> None:
    """End the running job of site s with the earliest end."""
    j = pop(w.heap[e], w.site_static[s]["first_run"], w.sites[e, s]["running"])
    cause = w.job_states[e, j]["cause"]
    release_cores(w, e, s, j)
    finish_attempt(w, e, s, j, t, FINISHED if cause == NO_CAUSE else FAILED, cause)


@no_inline
def fail_running(w: Any, e: int, s: int, t: float) -> None:
    """Fail all running jobs of site s: its heartbeat has been lost for too long."""
    w.site_status[e, s]["heartbeat_loss"] = math.inf
    while w.sites[e, s]["running"] > 0:
        j = pop(w.heap[e], w.site_static[s]["first_run"], w.sites[e, s]["running"])
        release_cores(w, e, s, j)
        finish_attempt(w, e, s, j, t, FAILED, HEARTBEAT)


@no_inline
def remove_job(w: Any, e: int, j: int, t: float, state: int, cause: int) -> None:
    """Remove job j from whatever state it is in, and finish it in `state`."""
    job_state = w.job_states[e, j]
    s, was = job_state["site"], job_state["state"]
    site, first = w.sites[e, s], w.site_static[s]["first_run"]
    if was == RUNNING:
        static = 0
        while w.heap[e, first + static]["job"] != j:
            static += 1
        remove_at(w.heap[e], first, site["running"], static)
        release_cores(w, e, s, j)
    else:
        commit(w, e, s, j, -1.0)
        if was == ACTIVATED:
            site["activated"] -= 1
        else:
            site["assigned"] -= 1
            stop_transfer(w, e, j, t)
    finish_attempt(w, e, s, j, t, state, cause)


@no_inline
def stop_transfer(w: Any, e: int, j: int, t: float) -> None:
    """Cut off the transfer that the assigned job j waits for, unless others wait for it too."""
    r, c = w.job_states[e, j]["replica"], j
    if w.rules[0]["storage"] > 0 and r >= 0 and w.transfers[e, r]["carrier"] >= 0:
        if w.pool[e, r]["pins"] > 1:
            return
        c = w.transfers[e, r]["carrier"]
    if w.rules[0]["level"] > 0 and w.flows[e, c]["heap_position"] >= 0:
        w.attempts[e, c]["moved_bytes"] = stop_flow(w, e, c, t)
    elif w.attempts[e, c]["moved_bytes"] > 0.0:
        w.attempts[e, c]["moved_bytes"] = moved_at(w, e, c, t)


@inline
def moved_at(w: Any, e: int, j: int, t: float) -> float:
    """Bytes that a stage-in at a fixed rate has moved at time t, while it goes on."""
    one, s = w.attempts[e, j], w.job_states[e, j]["site"]
    elapsed = t - one["placed"] - w.links[one["source"], 0, s]
    return min(one["moved_bytes"], max(0.0, elapsed / w.links[one["source"], 1, s]))


@no_inline
def stop_flow(w: Any, e: int, j: int, t: float) -> float:
    """End the flow of job j, complete or cut off; return the bytes that it moved.

    The flows that shared its ends are re-timed.
    """
    flow, target = w.flows[e, j], w.flows[e, j]["target"]
    left = flow["left"] - flow["rate"] * max(0.0, t - flow["since"])
    done = w.attempts[e, j]["moved_bytes"] - max(0.0, left)
    note(w, e, FLOW_END, t, j, target, flow["source"], done)
    flows.remove_flow(w, e, j)
    flows.share(w, e, flow["source"], target, t, -1)
    return done


@inline
def is_awaited(w: Any, e: int, c: int) -> bool:
    """Whether row c, or a job that joined its transfer, waits for an input."""
    return w.job_states[e, c]["state"] == ASSIGNED or carried_replica(w, e, c) >= 0


@inline
def staged_row(w: Any, e: int, entry: int) -> int:
    """The row of a stage-in of the event queue that is waited for; -1: the entry is another."""
    c = w.heap[e, w.first_staged + entry]["job"]
    return c if c < CANCEL * KIND and is_awaited(w, e, c) else -1


@inline
def deliver(w: Any, e: int, c: int, t: float) -> int:
    """End the stage-in of row c: it and the jobs that joined its transfer enter their queue.

    Return how many did; a replication does not.
    """
    first, entered = first_joined(w, e, c), 0
    if w.job_states[e, c]["state"] == ASSIGNED:
        entered = 1 if w.job_states[e, c]["cores"] > 0 else 0
        w.sites[e, w.job_states[e, c]["site"]]["assigned"] -= entered
        activate(w, e, c, t)
    if first >= 0:
        entered += deliver_to_joined(w, e, first, t)
    return entered


@no_inline
def deliver_to_joined(w: Any, e: int, j: int, t: float) -> int:
    """Put job j and those behind it in its transfer's list into their queue, but the ones gone.

    Return how many were left.
    """
    entered = 0
    while j >= 0:
        after = w.job_states[e, j]["next"]
        if w.job_states[e, j]["state"] == ASSIGNED:
            w.sites[e, w.job_states[e, j]["site"]]["assigned"] -= 1
            activate(w, e, j, t)
            entered += 1
        j = after
    return entered


@inline
def site_event(w: Any, e: int, s: int, t: float) -> None:
    """Run the next event of site s, at time t."""
    site, site_status = w.sites[e, s], w.site_status[e, s]
    first = w.heap[e, w.site_static[s]["first_run"]]["time"] if site["running"] > 0 else math.inf
    if first <= t:
        end(w, e, s, t)
    elif site["load_change"] <= t:
        change_load(w, e, s)
    elif site_status["next_change"] <= t:
        change_status(w, e, s)
        status = site_status["status"]
        cores = w.site_static[s]["cores"] - site["offline_cores"]
        if status == DOWN:
            note(w, e, SITE_DOWN, t, NOBODY, s, 0, 0.0)
        elif status == BROWN:
            note(w, e, SITE_BROWN, t, NOBODY, s, cores, 0.0)
        else:
            note(w, e, SITE_UP, t, NOBODY, s, cores, 0.0)
    else:
        fail_running(w, e, s, t)


@inline
def earliest_site(w: Any, e: int) -> int:
    """The site with the earliest event; ties go to the lowest number."""
    events = w.next_events[e]
    block, least = 0, events[0]
    for other in range(1, w.blocks):
        when = events[other]
        block = other if when < least else block
        least = when if when < least else least
    return w.block_leaders[e, block]


@inline
def next_return(w: Any, e: int) -> float:
    """Time of the next return (a retry or a deferred job), s; inf: none."""
    if w.grids[e]["returning"] == 0:
        return math.inf
    return w.heap[e, w.rules[0]["first_return"]]["time"]


@inline
def advance(w: Any, e: int, until: float) -> bool:
    """Run all events due at or before `until`; inf: until no job is left.

    Stop and return False as soon as a job returns before `until`.
    """
    grid = w.grids[e]
    while grid["unfinished"] > 0 or until < math.inf:
        if next_return(w, e) < until:
            return False
        s = earliest_site(w, e)
        due = w.next_events[e, w.blocks + s]
        flow = w.flow_heap[e, 0]["time"] if grid["flows"] > 0 else math.inf
        entry = w.heap[e, w.first_staged]["time"] if grid["queued_events"] > 0 else math.inf
        t = min(min(due, flow), min(entry, grid["next_limit"]))
        if t > until or t == math.inf:
            grid["next_site"] = s
            break
        # The event is a stage-in that ends, or a job that is removed.
        arrived, gone, state, cause, changed = -1, -1, CLOSED, ASSIGNED_LIMIT, due <= t
        entered = 0
        if due <= t:
            site_event(w, e, s, t)
        elif flow <= t:
            arrived = w.flow_heap[e, 0]["job"]
            stop_flow(w, e, arrived, t)
        elif entry <= t:
            first = pop(w.heap[e], w.first_staged, grid["queued_events"])
            grid["queued_events"] -= 1
            if first < CANCEL * KIND:
                arrived = first if is_awaited(w, e, first) else -1
            elif w.job_states[e, first - CANCEL * KIND]["state"] < FINISHED:
                gone, state, cause = first - CANCEL * KIND, CANCELLED, BY_HAND
        else:
            gone = pop_overdue(w, e)
            if gone >= 0 and w.job_states[e, gone]["state"] == ACTIVATED:
                cause = ACTIVATED_LIMIT
        if arrived >= 0:
            s = w.job_states[e, arrived]["site"]
            entered = deliver(w, e, arrived, t)
            changed = entered > 0
        elif gone >= 0:
            s, changed = w.job_states[e, gone]["site"], True
            remove_job(w, e, gone, t, state, cause)
        if changed:
            start_waiting(w, e, s, t, entered)
    if until < math.inf:
        grid["area"] += (until - grid["clock"]) * grid["unfinished"]
        grid["clock"] = until
    return next_return(w, e) >= until
