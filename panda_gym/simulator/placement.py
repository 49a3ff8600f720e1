"""Sending one job to one site; knows estimates and transfers, never why the site was chosen."""

from __future__ import annotations

import math
from typing import Any

from panda_gym.simulator.compiled import inner
from panda_gym.simulator.dynamics import activate, predicted_run, true_run
from panda_gym.simulator.heap import push


@inner
def stage_in(w: Any, e: int, s: int, j: int) -> tuple[float, float]:
    """Least stage-in time of job j's input at site s, s, and how many bytes come from elsewhere.

    An input of no bytes, or one that no site is known to hold, is at hand everywhere.
    """
    size = w.jobs[e, j]["input_bytes"]
    best, origin = math.inf, -1
    if size > 0.0:
        for r in range(w.replicas.shape[2]):
            held = w.replicas[e, j, r]
            if held >= 0:
                time = w.lanes[held, 0, s] + size * w.lanes[held, 1, s]
                if time < best:
                    best, origin = time, held
    if origin < 0:
        return 0.0, 0.0
    return best, (0.0 if origin == s else size)


@inner
def expected_wait(w: Any, e: int, s: int, cores: int, run: float, queued: float) -> float:
    """Wait for `cores` cores at site s, s, from the work ahead there.

    `run` is the sum of cores x end over the running jobs and `queued` the work of the jobs
    assigned or activated, both predicted or both true (core s). The wait is zero if the free
    cores suffice after those promised, else the work ahead over the cores left by others.
    """
    site = w.sites[e, s]
    if site["free"] - site["promised"] >= cores:
        return 0.0
    ahead = max(0.0, run - w.grids[e]["clock"] * site["used"]) + queued
    return ahead / max(1, w.places[s]["cores"] - site["others"])


@inner
def fits(w: Any, e: int, s: int, j: int) -> bool:
    """Whether site s may take job j: what the action mask says."""
    return w.places[s]["cores"] >= w.jobs[e, j]["cores"]


@inner
def assess(w: Any, e: int, s: int, time: float, moved: float) -> None:
    """Write what sending the next job to site s is expected to lead to, and what it will."""
    j = w.grids[e]["cursor"]
    site, outcome, cores = w.sites[e, s], w.outcome[e], w.jobs[e, j]["cores"]
    outcome["site"] = s
    outcome["wait_pred"] = expected_wait(w, e, s, cores, site["run_pred"], site["queue_pred"])
    outcome["wait_true"] = expected_wait(w, e, s, cores, site["run_true"], site["queue_true"])
    outcome["transfer"] = time
    outcome["run_pred"] = predicted_run(w, e, s, j)
    outcome["run_true"] = true_run(w, e, s, j)
    outcome["ideal_pred"] = outcome["run_pred"] * w.places[s]["speed"] / w.top_speed
    outcome["ideal_true"] = outcome["run_true"] * w.places[s]["speed"] / w.top_speed
    outcome["wan_bytes"] = moved


@inner
def place(w: Any, e: int, s: int, time: float, moved: float) -> None:
    """Send the next job to site s: its input starts to move, or it joins the queue at once.

    `time` and `moved` are what `stage_in` gives for it there.
    """
    grid, site = w.grids[e], w.sites[e, s]
    j = grid["cursor"]
    job, track = w.jobs[e, j], w.tracks[e, j]
    cores = job["cores"]
    track["site"] = s
    track["cores"] = cores
    track["moved"] = moved
    site["promised"] += cores
    site["queue_pred"] += cores * predicted_run(w, e, s, j)
    site["queue_true"] += cores * true_run(w, e, s, j)
    grid["cursor"] = j + 1
    grid["unfinished"] += 1
    if time > 0.0:
        site["assigned"] += 1
        push(w.heap[e], w.first_staged, grid["staging"], job["arrival"] + time, j)
        grid["staging"] += 1
    else:
        activate(w, e, j, job["arrival"])


@inner
def weighted_site(w: Any, wide: int, u: float) -> int:
    """Draw among the `wide` sites with the most cores, each by its capacity, from u in [0, 1)."""
    target = u * w.places[wide - 1]["cumulative"]
    low, high = 0, wide - 1
    while low < high:
        middle = (low + high) >> 1
        if w.places[middle]["cumulative"] > target:
            high = middle
        else:
            low = middle + 1
    return w.places[low]["by_cores"]


@inner
def warm_site(w: Any, e: int, j: int) -> int:
    """Where the warm start sends job j: the shorter wait of two sites drawn by capacity."""
    cores, u = w.jobs[e, j]["cores"], w.jobs[e, j]["place_u"]
    wide, high = 1, len(w.places)
    while wide < high:  # sites 0 .. wide - 1 of by_cores fit the job
        middle = (wide + high + 1) >> 1
        if w.places[w.places[middle - 1]["by_cores"]]["cores"] >= cores:
            wide = middle
        else:
            high = middle - 1
    a = weighted_site(w, wide, u)
    lower = u * 1048576.0  # the lower bits of the same draw are as good as another one
    b = weighted_site(w, wide, lower - math.floor(lower))
    first, second = w.sites[e, a], w.sites[e, b]
    wait_a = expected_wait(w, e, a, cores, first["run_pred"], first["queue_pred"])
    wait_b = expected_wait(w, e, b, cores, second["run_pred"], second["queue_pred"])
    return b if wait_b < wait_a else a
