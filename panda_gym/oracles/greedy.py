"""Earliest true completion of one job, with the work of a decision kept small.

`earliest_site` answers what `planner.completions` would name as the least end, without the walk of
every queue: sites are visited by a lower bound of the end there, a walk stops where the job must
end later than at the best site so far, and no queue is copied.
"""

from __future__ import annotations

import math
from typing import Any, Final

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.oracles.forecast import collect_staging, entry, input_ready
from panda_gym.oracles.site_queue import begin_queue, occupy, start_job
from panda_gym.simulator.compiled_api import ACTIVATED, true_run, world_of

LATE: Final = 1e15
"""Stand-in for an end that cannot be forecast at a legal site: later than all others, s."""


@inline
def starts_before(w: Any, k: Any, e: int, s: int, other: int, ready: float, latest: float) -> bool:
    """Start the next waiting job of site s; False: later than `latest`, or never."""
    cores = w.jobs[e, other]["cores"]
    if not start_job(w, k, e, s, cores, ready):
        return False
    cursor = k.cursor[0]
    occupy(k, cores, cursor["t"] + w.rules[0]["pilot_s"] + true_run(w, e, s, other))
    return cursor["t"] <= latest


@inline
def passes_queue(w: Any, k: Any, e: int, s: int, ready: float, latest: float) -> bool:
    """Move the cursor past the jobs that start before one whose input is complete at `ready`.

    False: the last of them starts later than `latest`, or never.
    """
    begin_queue(w, k, e, s)
    other = w.sites[e, s]["head"]
    while other >= 0:
        waits = w.job_states[e, other]["state"] == ACTIVATED
        if waits and not starts_before(w, k, e, s, other, -math.inf, latest):
            return False
        other = w.job_states[e, other]["next"]
    for i in range(k.first[s], k.first[s] + k.length[s]):
        if k.ready[i] > ready:
            break
        if not starts_before(w, k, e, s, k.waiting[i], k.ready[i], latest):
            return False
    return True


@no_inline
def end_at(w: Any, k: Any, e: int, s: int, j: int, best: float) -> float:
    """When job j would end at site s behind those that wait there, s.

    LATE: never. More than `best` where it is later than that; the end is then not exact.
    """
    ready, pilot, run = input_ready(w, k, e, j, s), w.rules[0]["pilot_s"], true_run(w, e, s, j)
    latest = best - pilot - run
    latest += 1e-9 * abs(best) + 1e-9  # rounding: a start before it may still end at `best`
    passed = passes_queue(w, k, e, s, ready, latest)
    passed = passed and start_job(w, k, e, s, w.jobs[e, j]["cores"], ready)
    k.wait[s] = max(0.0, k.cursor[0]["t"] - max(ready, w.grids[e]["clock"]))
    if not passed:
        return LATE
    return min(k.cursor[0]["t"] + pilot + run, LATE)


@inline
def next_candidate(k: Any, sites: int) -> int:
    """The site not yet visited with the least lower bound; `sites`: none."""
    s = sites
    least = math.inf
    for i in range(sites):
        if k.candidate_values[i] < least:
            s, least = i, k.candidate_values[i]
    return s


@inline
def likely_site(k: Any, sites: int) -> int:
    """The candidate site at which the job would end first if the waits were those last seen."""
    s, least = 0, math.inf
    for i in range(sites):
        if k.candidate_values[i] + k.wait[i] < least:
            s, least = i, k.candidate_values[i] + k.wait[i]
    return s


@entry
def earliest_site(table: Any, k: Any, e: int) -> int:
    """The legal site at which the pending job of grid e truly ends first; ties: the first."""
    w = world_of(table)
    j, sites, pilot = w.pending[e, 0], len(w.site_static), w.rules[0]["pilot_s"]
    collect_staging(w, k, e)
    for s in range(sites):
        k.candidate_values[s] = math.inf
        if w.mask[e, 0, s] > 0:
            k.candidate_values[s] = input_ready(w, k, e, j, s) + pilot + true_run(w, e, s, j)
    best, at = math.inf, sites
    s = likely_site(k, sites)  # a good first one: walks stop early at all the others
    while s < sites and k.candidate_values[s] <= best:
        end = end_at(w, k, e, s, j, best)
        if end < best or (end == best and s < at):
            best, at = end, s
        k.candidate_values[s] = math.inf
        s = next_candidate(k, sites)
    return at
