"""Compute the own and the external cost of each placement from the log of a finished episode.

The external cost of an attempt is the increase in the sum of the other jobs' costs (ln(bounded
slowdown), or whatever the objective weighs) at its site that the attempt caused, with every other
placement unchanged (Pigou, The Economics of Welfare, 1920; for queues: Naor, Econometrica 1969).
A job's own cost and its external cost add up to minus its difference reward (Wolpert and Tumer
2002), to first order.

It is computed, not estimated. The queue of the site is replayed with and without the attempt,
under the same competing load and outages, whose draws are hashes of the episode's seed. Without
failures and time limits, a replay with all attempts starts every job when it started in the log.

Computed is the displacement in the queue of the site and, where the objective asks for it, the
delay of transfers that share the network by endpoint (`transfers`). A job that is displaced ends
later by as much as its attempt starts later, so that its retries come later by as much too. Left
out: what those retries and late transfers do to other queues, max-min sharing, room in storage, and
that the policy might place other jobs elsewhere. Traffic and waste of others are no part of it.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.credit.objectives import DEFAULT, Objective
from panda_gym.credit.transfers import transfer_costs
from panda_gym.errors import SettingError
from panda_gym.jit.compiled import entry_decorator, inline
from panda_gym.jit.heap import ENTRY, pop, push
from panda_gym.simulator import EpisodeLog, Simulator, available_cores
from panda_gym.units import BYTES_PER_TB, SECONDS_PER_HOUR

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
        ("per_ln", "f8"),  # weight of its ln(bounded slowdown)
        ("per_s", "f8"),  # weight of its turnaround, 1/s
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
    """Return the sum of the jobs' costs in the last replay, without `attempt`."""
    found = 0.0
    for k in range(first, last):
        if k != attempt:
            one = queue[k]
            end = one["final_end"] + one["replayed_start"] - one["start"]
            turnaround = end - one["arrival"]
            found += one["per_ln"] * math.log(max(1.0, turnaround / one["ideal"]))
            found += one["per_s"] * turnaround
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


def external_costs(
    simulator: Simulator, e: int, log: EpisodeLog, objective: Objective = DEFAULT
) -> Array:
    """Return the external cost of every attempt in grid e's finished episode, float64[len(log)].

    It is in units of the objective, before `Objective.external` weighs it. It is 0 for jobs of the
    warm start and for attempts that never took a core.
    SettingError unless jobs start first come, first served.
    """
    discipline = simulator.settings.discipline
    if discipline != "fifo":
        came = repr(discipline)
        raise SettingError("discipline 'fifo' for external costs", came, "choose 'fifo'")
    rows, queue, edges = _queues(log, len(simulator.platform))
    queue["per_ln"] = objective.ln_slowdown
    queue["per_s"] = _per_hour(log, objective)[rows] / SECONDS_PER_HOUR
    until = np.zeros(len(edges) - 1)
    np.maximum.at(until, log.site[rows], queue["start"])
    capacities, capacity_edges = available_cores(simulator, e, until)
    costs, heap = np.zeros(len(queue)), np.zeros(len(queue) + 1, ENTRY)
    write_external_costs(queue, edges, capacities, capacity_edges, heap, costs)
    found = np.zeros(len(log))
    found[rows] = costs
    ends, per_hour = final_ends(log), _per_hour(log, objective)
    return found + transfer_costs(simulator, e, log, objective, ends, per_hour)


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


def own_costs(log: EpisodeLog, objective: Objective = DEFAULT) -> Array:
    """Return the cost of each attempt's job, float64[n]; nan where it never ended.

    It weighs ln(bounded slowdown) and turnaround; see `attempt_costs` for the rest.
    """
    turnaround, cost = final_ends(log) - log.arrival_s, np.zeros(len(log))
    if objective.ln_slowdown:
        slowdown = turnaround / np.maximum(log.ideal_s, log.bound_s)
        cost = cost + objective.ln_slowdown * np.log(np.maximum(1.0, slowdown))
    if objective.turnaround_h or objective.weighted_turnaround_h:
        cost = cost + _per_hour(log, objective) * turnaround / SECONDS_PER_HOUR
    return cost[log.origin]


def attempt_costs(log: EpisodeLog, objective: Objective = DEFAULT) -> Array:
    """Return the weighted traffic, waste, energy and emissions of each attempt, float64[n]."""
    moved, wasted = log.moved_bytes / BYTES_PER_TB, log.wasted_s / SECONDS_PER_HOUR
    spent = objective.wan_tb * moved + objective.wasted_core_h * wasted
    return spent + electricity_costs(log, objective)


def electricity_costs(log: EpisodeLog, objective: Objective = DEFAULT) -> Array:
    """Return the weighted energy (kWh) and emissions (kg CO2e) of each attempt, float64[n]."""
    if not objective.energy_kwh and not objective.carbon_kg:  # older files have neither
        return np.zeros(len(log))
    return objective.energy_kwh * log.energy_kwh + objective.carbon_kg * log.carbon_kg


def _per_hour(log: EpisodeLog, objective: Objective) -> Array:
    """Weight of an hour of each row's turnaround, float64[n]."""
    judged = log.workload_true[log.judged]
    mean = float(judged.mean()) if len(judged) else 1.0
    return objective.turnaround_h + objective.weighted_turnaround_h * log.workload_true / mean
