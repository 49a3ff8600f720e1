"""What each placement cost the jobs behind it, once the episode is over; knows no learner.

The external cost of an attempt is the sum, over the other jobs of its site, of what their
ln(bounded slowdown) would have been less without it, everybody else placed as they were
(Pigou, The Economics of Welfare, 1920; for queues: Naor, Econometrica 1969). A job's own ln and
its external cost together are what its placement cost all jobs, to first order.

It is computed, not estimated: an attempt that is taken out changes nothing beyond its own site's
line, and the line is served again without it, by the same competing load and the same turns of
the site, whose draws are hashes of the episode's seed. Without failures and time limits the
line served again with everybody in it starts every job when it truly started.

What is left out: transfers that share a link would go faster, a retry would come at another
time, the others might be placed elsewhere.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import SettingError
from panda_gym.jit.compiled import entry_decorator, inline
from panda_gym.jit.heap import ENTRY, pop, push
from panda_gym.simulator import EpisodeLog, Simulator, available_cores

Array = np.ndarray

LINE: Final = np.dtype(
    [
        ("active", "f8"),  # s, when it joined the line of its site
        ("starting", "f8"),  # s, when it took its cores
        ("held", "f8"),  # s, how long it held them
        ("first_arrival", "f8"),  # s, arrival of the job's first attempt
        ("final", "f8"),  # s, end of the job's last attempt
        ("ideal", "f8"),  # s, what its time in the system is divided by
        ("started", "f8"),  # s, when it starts in the line served again
        ("cores", "i4"),
        ("asked", "i4"),  # 1 where its external cost is asked for
    ],
    align=True,
)
"""One attempt in its site's line."""


@inline
def serve(
    lines: Any, first: int, last: int, skip: int, drop: bool, levels: Any, n: int, heap: Any
) -> None:
    """Serve the line first .. last - 1 from when `skip` joined it, with or without it."""
    t, size, used, k, level = lines[skip]["active"], 0, 0, first, 0
    while k < skip and lines[k]["starting"] <= t:  # who had started before then
        lines[k]["started"] = lines[k]["starting"]
        end = lines[k]["starting"] + lines[k]["held"]
        if end > t:
            push(heap, 0, size, end, k)
            size += 1
            used += lines[k]["cores"]
        k += 1
    while k < last:
        if drop and k == skip:
            k += 1
            continue
        t = max(t, lines[k]["active"])
        while True:
            while size > 0 and heap[0]["time"] <= t:
                used -= lines[pop(heap, 0, size)]["cores"]
                size -= 1
            while level + 1 < n and levels[level + 1]["time"] <= t:
                level += 1
            if levels[level]["cores"] - used >= lines[k]["cores"]:
                break
            later = heap[0]["time"] if size > 0 else math.inf
            if level + 1 < n:
                later = min(later, levels[level + 1]["time"])
            if later == math.inf:
                break
            t = later
        lines[k]["started"] = t
        push(heap, 0, size, t + lines[k]["held"], k)
        size += 1
        used += lines[k]["cores"]
        k += 1


@inline
def total(lines: Any, first: int, last: int, skip: int) -> float:
    """Sum of ln(bounded slowdown) of a line as last served, without `skip`."""
    found = 0.0
    for k in range(first, last):
        if k != skip:
            one = lines[k]
            end = one["final"] + one["started"] - one["starting"]
            found += math.log(max(1.0, (end - one["first_arrival"]) / one["ideal"]))
    return found


entry = entry_decorator(Path(__file__).parent)
"""A function that Python calls, without allocation; cached until any source changes."""


@entry
def charge(lines: Any, edges: Any, levels: Any, level_edges: Any, heap: Any, costs: Any) -> None:
    """Write the external cost of every attempt that is asked for.

    edges[s]: where site s begins in `lines`; level_edges[s]: where it begins in `levels`.
    """
    for s in range(len(edges) - 1):
        first, last = edges[s], edges[s + 1]
        own = levels[level_edges[s] : level_edges[s + 1]]
        for k in range(first, last):
            if lines[k]["asked"] > 0:
                serve(lines, first, last, k, False, own, len(own), heap)
                costs[k] = total(lines, first, last, k)
                serve(lines, first, last, k, True, own, len(own), heap)
                costs[k] -= total(lines, first, last, k)


def external_costs(simulator: Simulator, e: int, log: EpisodeLog) -> Array:
    """External cost of every attempt of grid e's episode, float64[len(log)].

    0 for the warm start's and for attempts that never took a core.
    SettingError unless jobs start first come, first served.
    """
    discipline = simulator.settings.discipline
    if discipline != "fifo":
        came = repr(discipline)
        raise SettingError("discipline 'fifo' for external costs", came, "choose 'fifo'")
    rows, lines, edges = _lines(log, len(simulator.platform))
    until = np.zeros(len(edges) - 1)
    np.maximum.at(until, log.site[rows], lines["starting"])
    levels, level_edges = available_cores(simulator, e, until)
    costs, heap = np.zeros(len(lines)), np.zeros(len(lines) + 1, ENTRY)
    charge(lines, edges, levels, level_edges, heap, costs)
    found = np.zeros(len(log))
    found[rows] = costs
    return found


def _lines(log: EpisodeLog, sites: int) -> tuple[Array, Array, Array]:
    """Rows of the attempts that took cores in the order of their lines, the lines, their edges."""
    rows = np.flatnonzero(
        (log.site >= 0) & np.isfinite(log.starting_s) & (log.end_s >= log.starting_s)
    )
    rows = rows[np.lexsort((rows, log.activation_s[rows], log.site[rows]))]
    lines = np.zeros(len(rows), LINE)
    first = log.origin[rows]
    lines["active"], lines["starting"] = log.activation_s[rows], log.starting_s[rows]
    lines["held"] = log.end_s[rows] - log.starting_s[rows]
    lines["first_arrival"], lines["final"] = log.arrival_s[first], final_ends(log)[first]
    lines["ideal"] = np.maximum(log.ideal_s[first], log.bound_s)
    lines["cores"] = log.cores[rows]
    lines["asked"] = first >= log.warmup
    return rows, lines, np.searchsorted(log.site[rows], np.arange(sites + 1))


def final_ends(log: EpisodeLog) -> Array:
    """When the last attempt of each row's job left, at the row of its first, float64[n]."""
    placed, last = np.flatnonzero(log.site >= 0), np.arange(len(log))
    last[log.origin[placed]] = placed  # in order of rows, so that the last attempt stays
    return log.end_s[last]


def own_costs(log: EpisodeLog) -> Array:
    """ln(bounded slowdown) of each attempt's job, float64[n]; nan: it never ended."""
    slowdown = (final_ends(log) - log.arrival_s) / np.maximum(log.ideal_s, log.bound_s)
    return np.log(np.maximum(1.0, slowdown))[log.origin]
