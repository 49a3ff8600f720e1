"""What happens at the sites between two decisions; knows events, never who decides or sees.

The invariant: at every site free + used + others == cores, and the queue's head has not started
only if free < its cores. Events run in the order of time; at equal times first those of the
sites by number (an end before a change of the competing load, ends by job), then activations
by job, then the next arrival.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.simulator.competing import change_load
from panda_gym.simulator.compiled import inner
from panda_gym.simulator.heap import pop, push
from panda_gym.simulator.state import BLOCK


@inner
def predicted_run(w: Any, e: int, s: int, j: int) -> float:
    """Run time of job j at site s as predicted, s."""
    job = w.jobs[e, j]
    return job["workload_pred"] / (job["cores"] * w.places[s]["speed"])


@inner
def true_run(w: Any, e: int, s: int, j: int) -> float:
    """Run time of job j at site s, its own noise included, s."""
    job = w.jobs[e, j]
    return job["workload_true"] / (job["cores"] * w.places[s]["speed"]) * job["noise"]


@inner
def note_event(w: Any, e: int, s: int) -> None:
    """Enter the next event of site s where the earliest is looked for."""
    site = w.sites[e, s]
    when = site["change"]
    if site["running"] > 0:
        when = min(when, w.heap[e, w.places[s]["first_run"]]["time"])
    events, block = w.events[e], s // BLOCK
    events[w.blocks + s] = when
    first = w.blocks + block * BLOCK
    least = events[first]
    for other in range(first + 1, first + BLOCK):
        least = min(least, events[other])
    events[block] = least


@inner
def start(w: Any, e: int, s: int, j: int, t: float) -> None:
    """Job j takes its cores at site s."""
    site, job, track = w.sites[e, s], w.jobs[e, j], w.tracks[e, j]
    cores = job["cores"]
    pred, true = predicted_run(w, e, s, j), true_run(w, e, s, j)
    track["start"] = t
    track["end"] = t + true
    track["pred_end"] = t + pred
    ideal = true * w.places[s]["speed"] / w.top_speed
    slowdown = (track["end"] - job["arrival"]) / max(ideal, w.bound_s)
    track["ln_slowdown"] = math.log(max(1.0, slowdown))
    site["run_pred"] += cores * track["pred_end"]
    site["run_true"] += cores * track["end"]
    site["queue_pred"] -= cores * pred
    site["queue_true"] -= cores * true
    site["promised"] -= cores
    site["free"] -= cores
    site["used"] += cores
    push(w.heap[e], w.places[s]["first_run"], site["running"], track["end"], j)
    site["running"] += 1


@inner
def start_waiting(w: Any, e: int, s: int, t: float) -> None:
    """Start the jobs at the head of the queue as long as their cores are free."""
    site = w.sites[e, s]
    while site["head"] >= 0 and w.tracks[e, site["head"]]["cores"] <= site["free"]:
        j = site["head"]
        site["head"] = w.tracks[e, j]["next"]
        site["activated"] -= 1
        start(w, e, s, j, t)
    if site["head"] < 0:
        site["tail"] = -1
    if site["promised"] == 0:  # rounding must not pile up over a long episode
        site["queue_pred"] = 0.0
        site["queue_true"] = 0.0


@inner
def activate(w: Any, e: int, j: int, t: float) -> None:
    """The input of job j is there: it joins the end of its site's queue."""
    track = w.tracks[e, j]
    s = track["site"]
    site = w.sites[e, s]
    track["activation"] = t
    track["next"] = -1
    if site["tail"] >= 0:
        w.tracks[e, site["tail"]]["next"] = j
    else:
        site["head"] = j
    site["tail"] = j
    site["activated"] += 1
    start_waiting(w, e, s, t)
    note_event(w, e, s)


@inner
def end(w: Any, e: int, s: int, t: float) -> None:
    """The first of the running jobs of site s ends and gives its cores back."""
    grid, site = w.grids[e], w.sites[e, s]
    j = pop(w.heap[e], w.places[s]["first_run"], site["running"])
    track = w.tracks[e, j]
    cores = track["cores"]
    site["running"] -= 1
    site["used"] -= cores
    site["free"] += cores
    site["run_pred"] -= cores * track["pred_end"]
    site["run_true"] -= cores * track["end"]
    if site["running"] == 0:  # rounding must not pile up over a long episode
        site["run_pred"] = 0.0
        site["run_true"] = 0.0
    grid["area"] += (t - grid["clock"]) * grid["unfinished"]
    grid["clock"] = t
    grid["unfinished"] -= 1
    grid["ended"] += 1
    grid["ended_gflop"] += cores * w.places[s]["speed"] * (track["end"] - track["start"])
    grid["ended_ln"] += track["ln_slowdown"]


@inner
def happen(w: Any, e: int, s: int, t: float) -> None:
    """The next event of site s, at time t: an end, or a change of the competing load."""
    site = w.sites[e, s]
    if site["running"] > 0 and w.heap[e, w.places[s]["first_run"]]["time"] <= site["change"]:
        end(w, e, s, t)
    else:
        change_load(w, e, s)
    start_waiting(w, e, s, t)
    note_event(w, e, s)


@inner
def earliest_site(w: Any, e: int) -> int:
    """The site whose next event comes first; the lowest number of several."""
    events, block = w.events[e], 0
    for other in range(1, w.blocks):
        if events[other] < events[block]:
            block = other
    s = block * BLOCK
    while events[w.blocks + s] != events[block]:
        s += 1
    return s


@inner
def advance(w: Any, e: int, until: float) -> None:
    """Let everything happen that is due at or before `until`; inf: until no job is left."""
    grid = w.grids[e]
    while grid["unfinished"] > 0 or until < math.inf:
        s = earliest_site(w, e)
        due = w.events[e, w.blocks + s]
        staged = w.heap[e, w.first_staged]["time"] if grid["staging"] > 0 else math.inf
        t = min(due, staged)
        if t > until or t == math.inf:
            break
        if due <= staged:
            happen(w, e, s, t)
        else:
            j = pop(w.heap[e], w.first_staged, grid["staging"])
            grid["staging"] -= 1
            w.sites[e, w.tracks[e, j]["site"]]["assigned"] -= 1
            activate(w, e, j, t)
    if until < math.inf:
        grid["area"] += (until - grid["clock"]) * grid["unfinished"]
        grid["clock"] = until
