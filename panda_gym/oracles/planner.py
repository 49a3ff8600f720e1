"""Plans the jobs to come, site by site, by local search; knows a sketch, never statistics.

Each job of a window has a site in the plan. A job is moved where the sum of the expected ln
slowdowns of the two sites concerned falls, over all jobs that wait or are planned there; jobs are
visited in the order of arrival until nothing moves or the sweeps are used up.
"""

from __future__ import annotations

import math
from typing import Any

from panda_gym.jit.compiled import inner, shared
from panda_gym.oracles.forecast import (
    ITEMS,
    arrival,
    entry,
    expected_ln,
    fetch,
    foresee_load,
    look,
    site_value,
)
from panda_gym.simulator.address_table import world_of
from panda_gym.simulator.dynamics import true_run
from panda_gym.simulator.state import DOWN


@inner
def fits(w: Any, e: int, s: int, j: int, at_hand: bool) -> bool:
    """Whether job j may go to site s: by the mask if it is at hand, else by cores and status."""
    if at_hand:
        return w.mask[e, 0, s] > 0
    return w.places[s]["cores"] >= w.jobs[e, j]["cores"] and w.gates[e, s]["status"] != DOWN


@inner
def guess_start(k: Any, s: int, ready: float) -> float:
    """When a job whose input is there at `ready` will start at site s, cores aside, s."""
    low, high = 0, k.ordered[s]
    while low < high:
        middle = (low + high) >> 1
        if k.orders[0, s, middle] <= ready:
            low = middle + 1
        else:
            high = middle
    return max(ready, k.orders[1, s, low - 1]) if low > 0 else ready


@shared
def shortlist(w: Any, k: Any, e: int, j: int, at_hand: bool, wide: int) -> int:
    """Put the `wide` sites where job j itself would fare best first in `near`; return how many."""
    found, n = 0, len(w.places)
    for s in range(n):
        if not fits(w, e, s, j, at_hand):
            continue
        run = true_run(w, e, s, j)
        start = guess_start(k, s, arrival(w, e, j) + fetch(w, k, e, j, s))
        value = expected_ln(w, e, s, j, start + w.rules[0]["pilot_s"] + run, run)
        if found == wide and value >= k.guess[found - 1]:
            continue
        hole = min(found, wide - 1)
        while hole > 0 and k.guess[hole - 1] > value:
            k.near[hole], k.guess[hole] = k.near[hole - 1], k.guess[hole - 1]
            hole -= 1
        k.near[hole], k.guess[hole] = s, value
        found = min(found + 1, wide)
    return found


@inner
def join(w: Any, k: Any, e: int, s: int, j: int) -> None:
    """Job j becomes a member of site s."""
    hole = k.crowd[s]
    while hole > 0 and arrival(w, e, k.members[s, hole - 1]) > arrival(w, e, j):
        k.members[s, hole] = k.members[s, hole - 1]
        hole -= 1
    k.members[s, hole] = j
    k.crowd[s] += 1
    k.plan[e, j] = s


@inner
def quit(k: Any, e: int, s: int, j: int) -> None:
    """Job j is no member of site s any more."""
    i = 0
    while k.members[s, i] != j:
        i += 1
    k.crowd[s] -= 1
    for later in range(i, k.crowd[s]):
        k.members[s, later] = k.members[s, later + 1]
    k.plan[e, j] = -1


@inner
def reckon(w: Any, k: Any, e: int, s: int) -> None:
    """The value and the order of site s as it is planned."""
    k.value[s] = site_value(w, k, e, s, -1, -1, True)


@shared
def improve(w: Any, k: Any, e: int, j: int, at_hand: bool, wide: int) -> bool:
    """Move job j to where the sum of all falls most; return whether it moved."""
    was = k.plan[e, j]
    if was >= 0 and not fits(w, e, was, j, at_hand):
        quit(k, e, was, j)
        reckon(w, k, e, was)
        was = -1
    found = shortlist(w, k, e, j, at_hand, wide)
    gain = 0.0
    best, least = was, 0.0
    if was >= 0:
        gain = k.value[was] - site_value(w, k, e, was, -1, j, False)
    else:
        least = math.inf
    for i in range(found):
        s = k.near[i]
        if s == was or k.crowd[s] + 2 >= ITEMS:
            continue
        change = site_value(w, k, e, s, j, -1, False) - k.value[s] - gain
        if change < least - 1e-9:
            best, least = s, change
    if best < 0 and found > 0:
        best = k.near[0]
    if best == was or best < 0:
        return False
    if was >= 0:
        quit(k, e, was, j)
        reckon(w, k, e, was)
    join(w, k, e, best, j)
    reckon(w, k, e, best)
    return True


@inner
def end_at(w: Any, k: Any, e: int, s: int, j: int) -> float:
    """When job j would end at site s, its input fetched there, s; inf: not in sight."""
    if site_value(w, k, e, s, j, -1, True) == math.inf:
        return math.inf
    ready, place = arrival(w, e, j) + fetch(w, k, e, j, s), k.ordered[s] - 1
    while k.orders[0, s, place] != ready or k.item[place] != j:
        place -= 1
    return k.orders[1, s, place] + w.rules[0]["pilot_s"] + true_run(w, e, s, j)


@inner
def upcoming(w: Any, e: int) -> int:
    """The first job of the stream after the one at hand."""
    grid, j = w.grids[e], w.turn[e, 0]
    return max(grid["cursor"], j + 1 if j < grid["jobs"] else 0)


@entry
def foresee(table: Any, k: Any) -> None:
    """Look at the episodes that have begun: the load of others; nothing is planned.

    table: of a World, see `simulator.address_table`.
    """
    w = world_of(table)
    k.plan[:, :] = -1
    for e in range(len(w.grids)):
        for s in range(len(w.places)):
            foresee_load(w, k, e, s)


@entry
def plan(table: Any, k: Any, e: int, window: int, focus: int, sweeps: int, wide: int) -> int:
    """Return the site for the job at hand of grid e; the plan of the window is kept.

    The first `focus` jobs of the window are visited, in at most `sweeps` sweeps.
    """
    w = world_of(table)
    n, now = len(w.places), w.turn[e, 0]
    look(w, k, e)
    k.crowd[:] = 0
    first = upcoming(w, e)
    last = min(first + window - 1, w.grids[e]["jobs"])
    if k.plan[e, now] >= 0:
        join(w, k, e, k.plan[e, now], now)
    for j in range(first, last):
        if k.plan[e, j] >= 0:
            join(w, k, e, k.plan[e, j], j)
    for s in range(n):
        reckon(w, k, e, s)
    for _ in range(sweeps):
        moved = improve(w, k, e, now, True, wide)
        for j in range(first, min(last, first + focus - 1)):
            moved = improve(w, k, e, j, False, wide) or moved
        if not moved:
            break
    return k.plan[e, now]


@entry
def completions(table: Any, k: Any, e: int, ends: Any) -> None:
    """Write when the job at hand of grid e would truly end at each site, float64[S], s.

    inf where it may not go. Nothing is planned; the site's line is as it is, and the job goes
    behind those whose input is there before its own.
    """
    w = world_of(table)
    j = w.turn[e, 0]
    look(w, k, e)
    k.crowd[:] = 0
    for s in range(len(w.places)):
        ends[s] = end_at(w, k, e, s, j) if w.mask[e, 0, s] > 0 else math.inf
