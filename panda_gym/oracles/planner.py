"""Local search over plans of the next jobs.

Each job of a window has a site in the plan. A job moves where that lowers the sum of the expected
ln slowdowns of the two sites, over all jobs that wait or are planned there. Jobs are visited in
the order of arrival until no job moves or the sweeps are used up.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.oracles.forecast import (
    ITEMS,
    arrival,
    collect_waiting,
    entry,
    fetch,
    forecast_load,
    site_value,
)
from panda_gym.simulator.compiled_api import DOWN, expected_ln, true_run, world_of


@inline
def fits(w: Any, e: int, s: int, j: int, at_hand: bool) -> bool:
    """Whether job j may go to site s: by the mask if it is pending, else by cores and status."""
    if at_hand:
        return w.mask[e, 0, s] > 0
    return (
        w.site_static[s]["cores"] >= w.jobs[e, j]["cores"] and w.site_status[e, s]["status"] != DOWN
    )


@inline
def estimate_start(k: Any, s: int, ready: float) -> float:
    """Estimated start at site s of a job whose input is complete at `ready`, cores ignored, s."""
    low, high = 0, k.ordered[s]
    while low < high:
        middle = (low + high) >> 1
        if k.orders[0, s, middle] <= ready:
            low = middle + 1
        else:
            high = middle
    return max(ready, k.orders[1, s, low - 1]) if low > 0 else ready


@no_inline
def candidate_sites(w: Any, k: Any, e: int, j: int, at_hand: bool, wide: int) -> int:
    """Write the `wide` best sites for job j alone into `candidates`; return how many there are."""
    found, n = 0, len(w.site_static)
    for s in range(n):
        if not fits(w, e, s, j, at_hand):
            continue
        run = true_run(w, e, s, j)
        start = estimate_start(k, s, arrival(w, e, j) + fetch(w, k, e, j, s))
        end = start + w.rules[0]["pilot_s"] + run
        value = expected_ln(w, e, s, j, end, run, arrival(w, e, j))
        if found == wide and value >= k.candidate_values[found - 1]:
            continue
        hole = min(found, wide - 1)
        while hole > 0 and k.candidate_values[hole - 1] > value:
            k.candidates[hole] = k.candidates[hole - 1]
            k.candidate_values[hole] = k.candidate_values[hole - 1]
            hole -= 1
        k.candidates[hole], k.candidate_values[hole] = s, value
        found = min(found + 1, wide)
    return found


@inline
def plan_job(w: Any, k: Any, e: int, s: int, j: int) -> None:
    """Plan job j for site s."""
    hole = k.planned_count[s]
    while hole > 0 and arrival(w, e, k.planned[s, hole - 1]) > arrival(w, e, j):
        k.planned[s, hole] = k.planned[s, hole - 1]
        hole -= 1
    k.planned[s, hole] = j
    k.planned_count[s] += 1
    k.plan[e, j] = s


@inline
def unplan_job(k: Any, e: int, s: int, j: int) -> None:
    """Remove job j from the plan of site s."""
    i = 0
    while k.planned[s, i] != j:
        i += 1
    k.planned_count[s] -= 1
    for later in range(i, k.planned_count[s]):
        k.planned[s, later] = k.planned[s, later + 1]
    k.plan[e, j] = -1


@inline
def evaluate_site(w: Any, k: Any, e: int, s: int) -> None:
    """Compute value and order of the planned site s."""
    k.value[s] = site_value(w, k, e, s, -1, -1, True)


@no_inline
def improve(w: Any, k: Any, e: int, j: int, at_hand: bool, wide: int) -> bool:
    """Move job j to the site that lowers the total most; return whether it moved."""
    was = k.plan[e, j]
    if was >= 0 and not fits(w, e, was, j, at_hand):
        unplan_job(k, e, was, j)
        evaluate_site(w, k, e, was)
        was = -1
    found = candidate_sites(w, k, e, j, at_hand, wide)
    gain = 0.0
    best, least = was, 0.0
    if was >= 0:
        gain = k.value[was] - site_value(w, k, e, was, -1, j, False)
    else:
        least = math.inf
    for i in range(found):
        s = k.candidates[i]
        if s == was or k.planned_count[s] + 2 >= ITEMS:
            continue
        change = site_value(w, k, e, s, j, -1, False) - k.value[s] - gain
        if change < least - 1e-9:
            best, least = s, change
    if best < 0 and found > 0:
        best = k.candidates[0]
    if best == was or best < 0:
        return False
    if was >= 0:
        unplan_job(k, e, was, j)
        evaluate_site(w, k, e, was)
    plan_job(w, k, e, best, j)
    evaluate_site(w, k, e, best)
    return True


@inline
def completion_time(w: Any, k: Any, e: int, s: int, j: int) -> float:
    """When job j would end at site s, stage-in included, s; inf: not within the forecast."""
    if site_value(w, k, e, s, j, -1, True) == math.inf:
        return math.inf
    ready, place = arrival(w, e, j) + fetch(w, k, e, j, s), k.ordered[s] - 1
    while k.orders[0, s, place] != ready or k.item[place] != j:
        place -= 1
    return k.orders[1, s, place] + w.rules[0]["pilot_s"] + true_run(w, e, s, j)


@inline
def next_of_stream(w: Any, e: int) -> int:
    """The first job of the stream after the pending one."""
    grid, j = w.grids[e], w.pending[e, 0]
    return max(grid["cursor"], j + 1 if j < grid["jobs"] else 0)


@entry
def forecast_loads(table: Any, k: Any) -> None:
    """Forecast the competing load of the episodes that have begun; clear the plan.

    table: of a World, see `panda_gym.simulator.compiled_api`.
    """
    w = world_of(table)
    k.plan[:, :] = -1
    for e in range(len(w.grids)):
        for s in range(len(w.site_static)):
            forecast_load(w, k, e, s)


@entry
def plan(table: Any, k: Any, e: int, window: int, focus: int, sweeps: int, wide: int) -> int:
    """Return the site for the pending job of grid e; the plan of the window is kept.

    The first `focus` jobs of the window are visited, in at most `sweeps` sweeps.
    """
    w = world_of(table)
    n, now = len(w.site_static), w.pending[e, 0]
    collect_waiting(w, k, e)
    k.planned_count[:] = 0
    first = next_of_stream(w, e)
    last = min(first + window - 1, w.grids[e]["jobs"])
    if k.plan[e, now] >= 0:
        plan_job(w, k, e, k.plan[e, now], now)
    for j in range(first, last):
        if k.plan[e, j] >= 0:
            plan_job(w, k, e, k.plan[e, j], j)
    for s in range(n):
        evaluate_site(w, k, e, s)
    for _ in range(sweeps):
        moved = improve(w, k, e, now, True, wide)
        for j in range(first, min(last, first + focus - 1)):
            moved = improve(w, k, e, j, False, wide) or moved
        if not moved:
            break
    return k.plan[e, now]


@entry
def completions(table: Any, k: Any, e: int, ends: Any) -> None:
    """Write when the pending job of grid e would truly end at each site, float64[S], s.

    inf where it may not go. Nothing is planned: the job joins the present queue behind those whose
    input is complete before its own.
    """
    w = world_of(table)
    j = w.pending[e, 0]
    collect_waiting(w, k, e)
    k.planned_count[:] = 0
    for s in range(len(w.site_static)):
        ends[s] = completion_time(w, k, e, s, j) if w.mask[e, 0, s] > 0 else math.inf
