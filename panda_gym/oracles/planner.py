"""Local search over plans of the next jobs.

Each job of a window has a site in the plan. A job moves where that lowers the sum of the expected
ln slowdowns of the two sites, over all jobs that wait or are planned there. Jobs are visited in
the order of arrival until no job moves or the sweeps are used up. Then some jobs begin ejection
chains (Glover 1996): a move that loses, followed by moves away from the site that it has loaded.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.oracles.forecast import (
    CHAIN,
    CHAIN_SITES,
    ITEMS,
    arrival,
    collect_staging,
    collect_waiting,
    entry,
    forecast_load,
    input_ready,
)
from panda_gym.oracles.site_queue import (
    completion_time,
    place_in_queue,
    refresh_base,
    site_value,
    value_with,
    value_without,
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
def estimate_start(k: Any, e: int, s: int, ready: float) -> float:
    """Estimated start at site s of a job whose input is complete at `ready`, cores ignored, s."""
    place = place_in_queue(k, s, ready)
    if place > 0:
        return max(ready, k.queue[s, place - 1]["start"])
    base = k.base[e, s]
    return max(ready, base["cursor"]["t"]) if base["activated"] > 0 else ready


@no_inline
def candidate_sites(w: Any, k: Any, e: int, j: int, at_hand: bool, wide: int, limit: float) -> int:
    """Write the `wide` best sites for job j alone into `candidates`; return how many there are.

    limit: expected ln slowdown of the job that a candidate stays below.
    """
    found, came = 0, arrival(w, e, j)
    pilot, first = w.rules[0]["pilot_s"], w.attempts[e, j]["first_arrival"]
    ideal = max(true_run(w, e, 0, j) * w.site_static[0]["speed"] / w.top_speed, w.bound_s)
    latest = first + ideal * math.exp(min(limit, 700.0))
    for s in range(len(w.site_static)):
        run = true_run(w, e, s, j)
        if came + pilot + run >= latest or not fits(w, e, s, j, at_hand):
            continue
        ready = input_ready(w, k, e, j, s)
        if ready + pilot + run >= latest:
            continue
        start = estimate_start(k, e, s, ready)
        value = expected_ln(w, e, s, j, start + pilot + run, run, came)
        if value >= limit:
            continue
        hole = min(found, wide - 1)
        while hole > 0 and k.candidate_values[hole - 1] > value:
            k.candidates[hole] = k.candidates[hole - 1]
            k.candidate_values[hole] = k.candidate_values[hole - 1]
            hole -= 1
        k.candidates[hole], k.candidate_values[hole] = s, value
        found = min(found + 1, wide)
        if found == wide:
            limit = k.candidate_values[found - 1]
            latest = first + ideal * math.exp(limit)
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
    site_value(w, k, e, s, -1, -1, True)


@no_inline
def move_job(w: Any, k: Any, e: int, j: int, s: int) -> None:
    """Plan job j for site s instead of the site it was planned for, if any."""
    was = k.plan[e, j]
    if was >= 0:
        unplan_job(k, e, was, j)
        evaluate_site(w, k, e, was)
    plan_job(w, k, e, s, j)
    evaluate_site(w, k, e, s)


@no_inline
def improve(w: Any, k: Any, e: int, j: int, at_hand: bool, wide: int) -> bool:
    """Move job j to the site that lowers the total most; return whether it moved."""
    was = k.plan[e, j]
    if was >= 0 and not fits(w, e, was, j, at_hand):
        unplan_job(k, e, was, j)
        evaluate_site(w, k, e, was)
        was = -1
    gain, best, least = 0.0, was, 0.0
    if was >= 0:
        gain = k.value[was] - value_without(w, k, e, was, j)
    else:
        least = math.inf
    found = candidate_sites(w, k, e, j, at_hand, wide, gain + least)
    for i in range(found):
        s = k.candidates[i]
        if k.candidate_values[i] - gain >= least - 1e-9:
            break  # the jobs behind it lose as well, so no later candidate is better
        if s == was or k.planned_count[s] + 2 >= ITEMS:
            continue
        change = value_with(w, k, e, s, j) - k.value[s] - gain
        if change < least - 1e-9:
            best, least = s, change
    if best < 0 and found > 0:
        best = k.candidates[0]
    if best == was or best < 0:
        return False
    move_job(w, k, e, j, best)
    return True


@no_inline
def improve_chain(w: Any, k: Any, e: int, j: int, now: int, wide: int) -> bool:
    """Move job j and, one after another, a job of each site that got one, if the total falls.

    The first move may lose; each later one is the best that relieves the site which the last has
    loaded. Return whether jobs moved.
    """
    was = k.plan[e, j]
    if was < 0:
        return False
    gain = k.value[was] - value_without(w, k, e, was, j)
    found = candidate_sites(w, k, e, j, j == now, CHAIN_SITES, math.inf)
    for i in range(found):
        k.chain_starts[i] = k.candidates[i]
    for i in range(found):
        s = k.chain_starts[i]
        if s == was or k.planned_count[s] == 0 or k.planned_count[s] + 2 >= ITEMS:
            continue
        loss = value_with(w, k, e, s, j) - k.value[s] - gain
        if loss < math.inf and follow_chain(w, k, e, j, s, loss, now, wide):
            return True
    return False


@no_inline
def follow_chain(w: Any, k: Any, e: int, j: int, s: int, loss: float, now: int, wide: int) -> bool:
    """Try the chain that begins with job j at site s; undo it if it fails. loss: of that move."""
    length = 0
    while True:
        k.chain[length], k.chain_from[length] = j, k.plan[e, j]
        move_job(w, k, e, j, s)
        length += 1
        if loss < -1e-9:
            return True
        if length == CHAIN:
            break
        at, j, s = s, -1, -1
        least = math.inf
        for i in range(k.planned_count[at]):
            other = k.planned[at, i]
            if not in_chain(k, other, length):
                change, target = best_move(
                    w, k, e, other, min(least, -1e-9) if length + 1 == CHAIN else least, now, wide
                )
                if target >= 0 and change < least:
                    least, j, s = change, other, target
        if j < 0:
            break
        loss += least
    while length > 0:
        length -= 1
        move_job(w, k, e, k.chain[length], k.chain_from[length])
    return False


@inline
def in_chain(k: Any, j: int, length: int) -> bool:
    """Whether job j has moved in the present chain."""
    found = False
    for i in range(length):
        found = found or k.chain[i] == j
    return found


@no_inline
def best_move(
    w: Any, k: Any, e: int, j: int, most: float, now: int, wide: int
) -> tuple[float, int]:
    """Least change of the total by moving planned job j, and its site; -1: none below `most`."""
    was, best = k.plan[e, j], -1
    gain = k.value[was] - value_without(w, k, e, was, j)
    found = candidate_sites(w, k, e, j, j == now, wide, gain + most)
    for i in range(found):
        s = k.candidates[i]
        if k.candidate_values[i] - gain >= most - 1e-9:
            break
        if s == was or k.planned_count[s] + 2 >= ITEMS:
            continue
        change = value_with(w, k, e, s, j) - k.value[s] - gain
        if change < most - 1e-9:
            best, most = s, change
    return most, best


@inline
def improve_chains(w: Any, k: Any, e: int, first: int, last: int, tries: int, wide: int) -> None:
    """Begin at most `tries` chains, at the pending job and at jobs `first` to before `last`.

    After a success it begins again at the pending job.
    """
    now = w.pending[e, 0]
    j = now
    while tries > 0 and (j == now or j < last):
        after = first if j == now else j + 1
        j = now if improve_chain(w, k, e, j, now, wide) else after
        tries -= 1


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
def plan(
    table: Any, k: Any, e: int, window: int, focus: int, sweeps: int, wide: int, chains: int
) -> int:
    """Return the site for the pending job of grid e; the plan of the window is kept.

    The first `focus` jobs of the window are visited, in at most `sweeps` sweeps, then the first
    `chains` of them begin chains of moves.
    """
    w = world_of(table)
    n, now = len(w.site_static), w.pending[e, 0]
    collect_staging(w, k, e)
    k.planned_count[:] = 0
    first = next_of_stream(w, e)
    last = min(first + window - 1, w.grids[e]["jobs"])
    if k.plan[e, now] >= 0:
        plan_job(w, k, e, k.plan[e, now], now)
    for j in range(first, last):
        if k.plan[e, j] >= 0:
            plan_job(w, k, e, k.plan[e, j], j)
    for s in range(n):
        refresh_base(w, k, e, s)
        evaluate_site(w, k, e, s)
    for _ in range(sweeps):
        moved = improve(w, k, e, now, True, wide)
        for j in range(first, min(last, first + focus - 1)):
            moved = improve(w, k, e, j, False, wide) or moved
        if not moved:
            break
    improve_chains(w, k, e, first, min(last, first + focus - 1), chains, wide)
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
