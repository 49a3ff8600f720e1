"""Which of the waiting jobs of a site starts next; knows queues and cores, never events.

    fifo      in the order of activation
    priority  by PanDA's user priority, highest first, then in the order of activation
    easy      fifo, but a job may start before the head if by its prediction it does not delay
              it (EASY backfill: Lifka, JSSPP 1995; Mu'alem and Feitelson 2001)

Jobs closed while they wait stay in the line until they come to its front or are passed.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inner, shared
from panda_gym.simulator.state import ACTIVATED, EASY, PRIORITY


def user_priority(jobs: Any) -> Any:
    """PanDA's user priority 1000 - (T + n) / 5 of the next job of a user with T + n before it.

    NOTE[DIFF]: PanDA recomputes it every 20 minutes; here it is fixed when the job is placed.
    Streams name no users: jobs of one dataset count as one user's.
    """
    return 1000.0 - jobs / 5.0


@inner
def enqueue(w: Any, e: int, s: int, j: int) -> None:
    """Job j, just activated, takes its place in the line of site s."""
    site, track = w.sites[e, s], w.tracks[e, j]
    before = site["tail"]
    if w.rules[0]["discipline"] == PRIORITY:
        others, k, before = w.jobs[e, j]["others"], site["head"], -1
        while k >= 0 and w.jobs[e, k]["others"] <= others:
            before, k = k, w.tracks[e, k]["next"]
    if before >= 0:
        track["next"] = w.tracks[e, before]["next"]
        w.tracks[e, before]["next"] = j
    else:
        track["next"] = site["head"]
        site["head"] = j
    if track["next"] < 0:
        site["tail"] = j
    site["activated"] += 1


@inner
def take(w: Any, e: int, s: int, before: int, j: int) -> None:
    """Take job j, which stands behind `before` (-1: in front), out of the line of site s."""
    site, after = w.sites[e, s], w.tracks[e, j]["next"]
    if before >= 0:
        w.tracks[e, before]["next"] = after
    else:
        site["head"] = after
    if after < 0:
        site["tail"] = before


@inner
def next_start(w: Any, e: int, s: int, t: float) -> int:
    """Take the job that starts next at site s out of its line; -1: none can."""
    site = w.sites[e, s]
    while site["head"] >= 0 and w.tracks[e, site["head"]]["state"] != ACTIVATED:
        take(w, e, s, -1, site["head"])
    j = site["head"]
    if j < 0:
        return -1
    if w.tracks[e, j]["cores"] <= site["free"]:
        take(w, e, s, -1, j)
        return j
    if w.rules[0]["discipline"] == EASY and site["free"] > 0:
        return backfill(w, e, s, t)
    return -1


@shared
def shadow(w: Any, e: int, s: int, t: float) -> tuple[float, int]:
    """When the head of site s can start at the latest by the predicted ends of the running jobs,
    s, and how many cores it then leaves free. An end that is overdue is expected now."""
    site, first = w.sites[e, s], w.places[s]["first_run"]
    free, last_time, last_job = site["free"], -math.inf, -1
    wanted = w.tracks[e, site["head"]]["cores"]
    while free < wanted:
        when, who = math.inf, -1
        for k in range(site["running"]):
            j = w.heap[e, first + k]["job"]
            pred = max(t, w.tracks[e, j]["pred_end"])
            later = pred > last_time or (pred == last_time and j > last_job)
            if later and (pred < when or (pred == when and j < who)):
                when, who = pred, j
        if who < 0:
            return math.inf, 0
        free += w.tracks[e, who]["cores"]
        last_time, last_job = when, who
    return last_time, free - wanted


@shared
def backfill(w: Any, e: int, s: int, t: float) -> int:
    """Take the first job out of the line that fits now and does not delay the head; -1 none."""
    site = w.sites[e, s]
    when, extra = shadow(w, e, s, t)
    before = site["head"]
    j = w.tracks[e, before]["next"]
    while j >= 0:
        track = w.tracks[e, j]
        if track["state"] == ACTIVATED and track["cores"] <= site["free"]:
            run = w.jobs[e, j]["workload_pred"] / (track["cores"] * w.places[s]["speed"])
            if track["cores"] <= extra or t + run <= when:
                take(w, e, s, before, j)
                return j
        before, j = j, track["next"]
    return -1
