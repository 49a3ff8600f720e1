"""Compute the external cost of each placement from the log of a finished episode.

The external cost of an attempt is the increase in the sum of ln(bounded slowdown) of the other jobs
of its site that the attempt caused, with every other placement unchanged (Pigou, The Economics of
Welfare, 1920; for queues: Naor, Econometrica 1969). A job's own ln(bounded slowdown) and its
external cost add up to minus its difference reward (Wolpert and Tumer 2002), to first order.

It is computed, not estimated. The queue of the site is replayed with and without the attempt,
under the same competing load and outages, whose draws are hashes of the episode's seed. Without
failures and time limits, a replay with all attempts starts every job when it started in the log.

Three effects are left out: transfers that share a link would be faster, retries would come at other
times, and the policy might place other jobs elsewhere.
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

ATTEMPT: Final = np.dtype(
    [
        ("activation", "f8"),  # s, when it joined the queue of its site
        ("start", "f8"),  # s, when it took its cores
        ("held", "f8"),  # s, how long it held its cores
        ("arrival", "f8"),  # s, arrival of the job's first attempt
        ("final_end", "f8"),  # s, end of the job's last attempt
        ("ideal", "f8"),  # s, divisor of the bounded slowdown
        ("replayed_start", "f8"),  # s, when it starts in the replay
        ("cores", "i4"),
        ("wanted", "i4"),  # 1 where its external cost is wanted
    ],
    align=True,
)
"""One attempt in the queue of its site."""


@inline
def replay(
    queue: Any,
    first: int,
    last: int,
    attempt: int,
    without: bool,
    capacities: Any,
    n: int,
    heap: Any,
) -> None:
    """Replay queue[first:last] from when `attempt` joined it, with or without that attempt."""
    t, size, used, k, now = queue[attempt]["activation"], 0, 0, first, 0
    while k < attempt and queue[k]["start"] <= t:  # started before the attempt joined
        queue[k]["replayed_start"] = queue[k]["start"]
        end = queue[k]["start"] + queue[k]["held"]
        if end > t:
            push(heap, 0, size, end, k)
            size += 1
            used += queue[k]["cores"]
        k += 1
    while k < last:
        if without and k == attempt:
            k += 1
            continue
        t = max(t, queue[k]["activation"])
        while True:
            while size > 0 and heap[0]["time"] <= t:
                used -= queue[pop(heap, 0, size)]["cores"]
                size -= 1
            while now + 1 < n and capacities[now + 1]["time"] <= t:
                now += 1
            if capacities[now]["cores"] - used >= queue[k]["cores"]:
                break
            later = heap[0]["time"] if size > 0 else math.inf
            if now + 1 < n:
                later = min(later, capacities[now + 1]["time"])
            if later == math.inf:
                break
            t = later
        queue[k]["replayed_start"] = t
        push(heap, 0, size, t + queue[k]["held"], k)
        size += 1
        used += queue[k]["cores"]
        k += 1


@inline
def other_costs(queue: Any, first: int, last: int, attempt: int) -> float:
    """Return the sum of ln(bounded slowdown) in the last replay, without `attempt`."""
    found = 0.0
    for k in range(first, last):
        if k != attempt:
            one = queue[k]
            end = one["final_end"] + one["replayed_start"] - one["start"]
            found += math.log(max(1.0, (end - one["arrival"]) / one["ideal"]))
    return found


entry = entry_decorator(Path(__file__).parent)
"""Decorator of kernels that Python calls; the cache holds until a source changes."""


@entry
def write_external_costs(
    queue: Any, edges: Any, capacities: Any, capacity_edges: Any, heap: Any, costs: Any
) -> None:
    """Write the external cost of every wanted attempt.

    edges[s]: where site s begins in `queue`; capacity_edges[s]: where it begins in `capacities`.
    """
    for s in range(len(edges) - 1):
        first, last = edges[s], edges[s + 1]
        own = capacities[capacity_edges[s] : capacity_edges[s + 1]]
        for k in range(first, last):
            if queue[k]["wanted"] > 0:
                replay(queue, first, last, k, False, own, len(own), heap)
                costs[k] = other_costs(queue, first, last, k)
                replay(queue, first, last, k, True, own, len(own), heap)
                costs[k] -= other_costs(queue, first, last, k)


def external_costs(simulator: Simulator, e: int, log: EpisodeLog) -> Array:
    """Return the external cost of every attempt in grid e's finished episode, float64[len(log)].

    It is 0 for jobs of the warm start and for attempts that never took a core.
    SettingError unless jobs start first come, first served.
    """
    discipline = simulator.settings.discipline
    if discipline != "fifo":
        came = repr(discipline)
        raise SettingError("discipline 'fifo' for external costs", came, "choose 'fifo'")
    rows, queue, edges = _queues(log, len(simulator.platform))
    until = np.zeros(len(edges) - 1)
    np.maximum.at(until, log.site[rows], queue["start"])
    capacities, capacity_edges = available_cores(simulator, e, until)
    costs, heap = np.zeros(len(queue)), np.zeros(len(queue) + 1, ENTRY)
    write_external_costs(queue, edges, capacities, capacity_edges, heap, costs)
    found = np.zeros(len(log))
    found[rows] = costs
    return found


def _queues(log: EpisodeLog, sites: int) -> tuple[Array, Array, Array]:
    """Return the log rows of attempts that took cores, their ATTEMPTs by site, and the edges."""
    rows = np.flatnonzero(
        (log.site >= 0) & np.isfinite(log.starting_s) & (log.end_s >= log.starting_s)
    )
    rows = rows[np.lexsort((rows, log.activation_s[rows], log.site[rows]))]
    queue = np.zeros(len(rows), ATTEMPT)
    first = log.origin[rows]
    queue["activation"], queue["start"] = log.activation_s[rows], log.starting_s[rows]
    queue["held"] = log.end_s[rows] - log.starting_s[rows]
    queue["arrival"], queue["final_end"] = log.arrival_s[first], final_ends(log)[first]
    queue["ideal"] = np.maximum(log.ideal_s[first], log.bound_s)
    queue["cores"] = log.cores[rows]
    queue["wanted"] = first >= log.warmup
    return rows, queue, np.searchsorted(log.site[rows], np.arange(sites + 1))


def final_ends(log: EpisodeLog) -> Array:
    """Return the end of the last attempt of each row's job, float64[n], s; see `EpisodeLog`."""
    placed, last = np.flatnonzero(log.site >= 0), np.arange(len(log))
    last[log.origin[placed]] = placed  # in order of rows, so that the last attempt stays
    return log.end_s[last]


def own_costs(log: EpisodeLog) -> Array:
    """Return ln(bounded slowdown) of each attempt's job, float64[n]; nan where it never ended."""
    slowdown = (final_ends(log) - log.arrival_s) / np.maximum(log.ideal_s, log.bound_s)
    return np.log(np.maximum(1.0, slowdown))[log.origin]
