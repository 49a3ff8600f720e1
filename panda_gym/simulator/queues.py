"""Queue disciplines: which of the waiting jobs of a site starts next.

    fifo      in the order of activation
    priority  by PanDA's user priority, highest first, then in the order of activation
    easy      fifo, but a job may start before the head if by its estimate it does not delay it
              (EASY backfill: Lifka, JSSPP 1995; Mu'alem and Feitelson 2001)
    conservative  every waiting job holds a reservation; a job may start before others if it delays
              none (see `reservations`)

EASY reserves the cores of the head for its shadow time. The reservation counts estimated run times
(requested wall times where given, else predicted run times) and the pilots' delays as drawn, of the
running jobs and of the candidate alike. So with exact estimates no head starts later than reserved.
An overdue end counts as now.

Jobs closed while they wait stay in the queue until they reach its front or are passed.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.simulator.failures import pilot_delay
from panda_gym.simulator.run_times import estimated_run
from panda_gym.simulator.state import ACTIVATED, CONSERVATIVE, EASY, PRIORITY


def user_priority(jobs: Any) -> Any:
    """PanDA's user priority 1000 - (T + n) / 5 of a user's job with T + n jobs before it.

    NOTE[DIFF]: PanDA recomputes it every 20 minutes; here it is fixed when the job is placed.
    Streams name no users: jobs of one dataset count as one user's.
    """
    return 1000.0 - jobs / 5.0


@inline
def enqueue(w: Any, e: int, s: int, j: int) -> None:
    """Put the activated job j into the queue of site s."""
    site, job_state = w.sites[e, s], w.job_states[e, j]
    before = site["tail"]
    if w.rules[0]["discipline"] == PRIORITY:
        user_jobs, k, before = w.jobs[e, j]["user_jobs"], site["head"], -1
        while k >= 0 and w.jobs[e, k]["user_jobs"] <= user_jobs:
            before, k = k, w.job_states[e, k]["next"]
    if before >= 0:
        job_state["next"] = w.job_states[e, before]["next"]
        w.job_states[e, before]["next"] = j
    else:
        job_state["next"] = site["head"]
        site["head"] = j
    if job_state["next"] < 0:
        site["tail"] = j
    site["activated"] += 1


@inline
def remove_from_queue(w: Any, e: int, s: int, before: int, j: int) -> None:
    """Remove job j from the queue of site s; `before` is the job ahead of it (-1: it is first)."""
    site, after = w.sites[e, s], w.job_states[e, j]["next"]
    if before >= 0:
        w.job_states[e, before]["next"] = after
    else:
        site["head"] = after
    if after < 0:
        site["tail"] = before


@inline
def next_start(w: Any, e: int, s: int, t: float) -> int:
    """Pop the job that starts next at site s; -1: none can."""
    site = w.sites[e, s]
    while site["head"] >= 0 and w.job_states[e, site["head"]]["state"] != ACTIVATED:
        remove_from_queue(w, e, s, -1, site["head"])
    j = site["head"]
    if j < 0:
        return -1
    if w.rules[0]["discipline"] == CONSERVATIVE:
        return pop_due(w, e, s, t)
    if w.job_states[e, j]["cores"] <= site["free"]:
        remove_from_queue(w, e, s, -1, j)
        return j
    if w.rules[0]["discipline"] == EASY and site["free"] > 0:
        return backfill(w, e, s, t)
    return -1


@no_inline
def shadow(w: Any, e: int, s: int, t: float) -> tuple[float, int]:
    """Shadow time of the head of site s, s, and the cores that are then left over.

    The shadow time is the earliest start by the estimated ends of the running jobs; an overdue
    end counts as now.
    """
    site, first = w.sites[e, s], w.site_static[s]["first_run"]
    free, last_time, last_job = site["free"], -math.inf, -1
    wanted = w.job_states[e, site["head"]]["cores"]
    while free < wanted:
        when, who = math.inf, -1
        for k in range(site["running"]):
            j = w.heap[e, first + k]["job"]
            end = max(t, w.job_states[e, j]["start"] + estimated_run(w, e, s, j))
            later = end > last_time or (end == last_time and j > last_job)
            if later and (end < when or (end == when and j < who)):
                when, who = end, j
        if who < 0:
            return math.inf, 0
        free += w.job_states[e, who]["cores"]
        last_time, last_job = when, who
    for k in range(site["running"]):  # others that end at the shadow time
        j = w.heap[e, first + k]["job"]
        end = max(t, w.job_states[e, j]["start"] + estimated_run(w, e, s, j))
        free += w.job_states[e, j]["cores"] if end == last_time and j > last_job else 0
    return last_time, free - wanted


@no_inline
def backfill(w: Any, e: int, s: int, t: float) -> int:
    """Pop the first job that fits now and does not delay the head of the queue; -1: none."""
    site = w.sites[e, s]
    when, extra = shadow(w, e, s, t)
    before = site["head"]
    j = w.job_states[e, before]["next"]
    while j >= 0:
        job_state = w.job_states[e, j]
        if job_state["state"] == ACTIVATED and job_state["cores"] <= site["free"]:
            run = estimated_run(w, e, s, j)
            if job_state["cores"] <= extra or t + pilot_delay(w, e, j) + run <= when:
                remove_from_queue(w, e, s, before, j)
                return j
        before, j = j, job_state["next"]
    return -1


@no_inline
def pop_due(w: Any, e: int, s: int, t: float) -> int:
    """Pop the first job whose reservation begins at t and whose cores are idle; -1: none."""
    before, j = -1, w.sites[e, s]["head"]
    while j >= 0 and w.sites[e, s]["free"] > 0:
        job_state = w.job_states[e, j]
        due = job_state["state"] == ACTIVATED and w.requests[e, j]["reserved"] == t
        if due and job_state["cores"] <= w.sites[e, s]["free"]:
            remove_from_queue(w, e, s, before, j)
            return j
        before, j = j, job_state["next"]
    return -1
