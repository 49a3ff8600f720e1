"""Compute what each transfer costs the jobs whose transfers share its sites' network.

Under endpoint sharing (`Network(level=1)`) a transfer slows all others from its source and to its
destination. For each transfer the network is replayed from its start on, once with it and once
without, until nothing differs any more. So each other transfer's delay is exact, placements
unchanged. A job that took its cores as soon as its input was there ends earlier by its delay; one
that waited for cores would have waited all the same. What earlier starts do to queues is left out.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.credit.objectives import Objective
from panda_gym.jit.compiled import entry_decorator, inline
from panda_gym.simulator import EpisodeLog, Simulator

Array = np.ndarray

SWEEP, WITH, WITHOUT = 0, 1, 2
"""Copies of the network: the episode's own, and the two replays."""

TRANSFER: Final = np.dtype(
    [
        ("begin", "f8"),  # s, it takes its share from here on
        ("moving", "f8"),  # s, its bytes move from here on
        ("bytes", "f8"),
        ("link", "f8"),  # bytes/s, rate of its link
        ("left", "f8", (3,)),  # bytes in each copy
        ("rate", "f8", (3,)),  # bytes/s in each copy
        ("end", "f8", (3,)),  # s, inf: not yet
        ("turnaround", "f8"),  # s, of its job
        ("ideal", "f8"),  # s, divisor of the bounded slowdown
        ("per_ln", "f8"),  # weight of ln(bounded slowdown); 0 where cores were waited for
        ("per_s", "f8"),  # weight of turnaround, 1/s; 0 where cores were waited for
        ("source", "i4"),
        ("target", "i4"),
        ("wanted", "i4"),  # 1 where its cost is wanted
        ("pad", "i4"),
    ],
    align=True,
)
"""One transfer between sites."""

MERGED: Final = 1.0
"""Bytes by which a transfer may differ between replays that count as equal."""


@inline
def next_end(flows: Any, active: Any, n: int, c: int, counts: Any, cap: Any, now: float) -> float:
    """Set the rates of the n active transfers of copy c; return when the first one ends."""
    first = math.inf
    for k in range(n):
        flow = flows[active[c, k]]
        out = cap[flow["source"]] / counts[c, 0, flow["source"]]
        into = cap[flow["target"]] / counts[c, 1, flow["target"]]
        rate = min(flow["link"], min(out, into))
        flow["rate"][c] = rate
        first = min(first, max(now, flow["moving"]) + flow["left"][c] / rate)
    return first


@inline
def advance(flows: Any, active: Any, n: int, c: int, now: float, t: float) -> None:
    """Move the bytes of copy c from `now` to t."""
    for k in range(n):
        flow = flows[active[c, k]]
        span = max(0.0, t - max(now, flow["moving"]))
        flow["left"][c] = max(0.0, flow["left"][c] - flow["rate"][c] * span)


@inline
def add(flows: Any, active: Any, n: int, c: int, counts: Any, f: int) -> int:
    """Begin transfer f in copy c; return how many are active."""
    flows[f]["left"][c], flows[f]["end"][c] = flows[f]["bytes"], math.inf
    active[c, n] = f
    counts[c, 0, flows[f]["source"]] += 1
    counts[c, 1, flows[f]["target"]] += 1
    return n + 1


@inline
def end_first(flows: Any, active: Any, n: int, c: int, counts: Any, t: float) -> int:
    """End the active transfer of copy c that has least to move; return its number."""
    best, least = 0, math.inf
    for k in range(n):
        flow = flows[active[c, k]]
        left = max(t, flow["moving"]) + flow["left"][c] / flow["rate"][c]
        if left < least:
            best, least = k, left
    f = active[c, best]
    active[c, best] = active[c, n - 1]
    flows[f]["end"][c], flows[f]["left"][c] = t, 0.0
    counts[c, 0, flows[f]["source"]] -= 1
    counts[c, 1, flows[f]["target"]] -= 1
    return f


@inline
def merged(flows: Any, active: Any, with_it: int, without: int) -> bool:
    """Whether the same transfers are active in both replays, with as much to move."""
    if with_it != without:
        return False
    for k in range(with_it):
        flow = flows[active[WITH, k]]
        if flow["end"][WITHOUT] < math.inf or flow["end"][WITH] < math.inf:
            return False
        if abs(flow["left"][WITH] - flow["left"][WITHOUT]) > MERGED:
            return False
    return True


@inline
def delay_cost(flow: Any, delay: float) -> float:
    """Cost of the delay of a transfer, s."""
    before = max(1.0, (flow["turnaround"] - delay) / flow["ideal"])
    with_it = max(1.0, flow["turnaround"] / flow["ideal"])
    return flow["per_ln"] * math.log(with_it / before) + flow["per_s"] * delay


@inline
def begin_replays(flows: Any, active: Any, n: int, counts: Any) -> None:
    """Begin both replays in the state of the sweep."""
    for s in range(counts.shape[2]):
        for side in range(2):
            counts[WITH, side, s] = counts[WITHOUT, side, s] = counts[SWEEP, side, s]
    for k in range(n):
        g = active[SWEEP, k]
        active[WITH, k] = active[WITHOUT, k] = g
        for c in range(WITH, WITHOUT + 1):
            flows[g]["left"][c], flows[g]["end"][c] = flows[g]["left"][SWEEP], math.inf


@inline
def transfer_cost(flows: Any, active: Any, n: int, counts: Any, cap: Any, f: int) -> float:
    """Return what transfer f costs others; it is the last of the n active ones of the sweep."""
    begin_replays(flows, active, n, counts)
    counts[WITHOUT, 0, flows[f]["source"]] -= 1
    counts[WITHOUT, 1, flows[f]["target"]] -= 1
    flows[f]["end"][WITHOUT] = -math.inf
    a, b, following, now, total = n, n - 1, f + 1, flows[f]["begin"], 0.0
    while not merged(flows, active, a, b):
        first = next_end(flows, active, a, WITH, counts, cap, now)
        second = next_end(flows, active, b, WITHOUT, counts, cap, now)
        arrival = flows[following]["begin"] if following < len(flows) else math.inf
        t = min(arrival, min(first, second))
        advance(flows, active, a, WITH, now, t)
        advance(flows, active, b, WITHOUT, now, t)
        now = t
        if arrival <= t:
            a = add(flows, active, a, WITH, counts, following)
            b = add(flows, active, b, WITHOUT, counts, following)
            following += 1
            continue
        if first <= second:
            g = end_first(flows, active, a, WITH, counts, t)
            a -= 1
        else:
            g = end_first(flows, active, b, WITHOUT, counts, t)
            b -= 1
        if g != f and flows[g]["end"][WITH] < math.inf and flows[g]["end"][WITHOUT] < math.inf:
            total += delay_cost(flows[g], flows[g]["end"][WITH] - flows[g]["end"][WITHOUT])
    return total


entry = entry_decorator(Path(__file__).parent)
"""Decorator of kernels that Python calls; the cache holds until a source changes."""


@entry
def write_transfer_costs(flows: Any, active: Any, counts: Any, cap: Any, costs: Any) -> None:
    """Write the cost of every wanted transfer, and the end of every one in the sweep.

    flows: in order of begin. active: int64[3, F]. counts: int64[3, 2, S], zeros.
    """
    n, now = 0, 0.0
    for f in range(len(flows) + 1):
        until = flows[f]["begin"] if f < len(flows) else math.inf
        t = next_end(flows, active, n, SWEEP, counts, cap, now)
        while n > 0 and t <= until:
            advance(flows, active, n, SWEEP, now, t)
            now = t
            end_first(flows, active, n, SWEEP, counts, t)
            n -= 1
            t = next_end(flows, active, n, SWEEP, counts, cap, now)
        if f < len(flows):
            advance(flows, active, n, SWEEP, now, until)
            now = until
            n = add(flows, active, n, SWEEP, counts, f)
            if flows[f]["wanted"] > 0:
                costs[f] = transfer_cost(flows, active, n, counts, cap, f)


def transfer_costs(
    simulator: Simulator,
    e: int,
    log: EpisodeLog,
    objective: Objective,
    final_ends: Array,
    per_hour: Array,
) -> Array:
    """Return what each attempt's transfer cost other jobs, float64[len(log)].

    It is 0 unless the objective asks for it and links are shared by endpoint.
    final_ends: end of each row's job, float64[n], s. per_hour: weight of an hour of each row's
    turnaround, float64[n].
    """
    found, network = np.zeros(len(log)), simulator.settings.network
    if not objective.shared_links or network is None or network.level != 1:
        return found
    rows, flows = transfers(simulator, log, objective, final_ends, per_hour)
    capacity = simulator.network()[2]
    active = np.zeros((3, len(flows) + 1), np.int64)
    counts, costs = np.zeros((3, 2, len(capacity)), np.int64), np.zeros(len(flows))
    write_transfer_costs(flows, active, counts, capacity, costs)
    found[rows] = costs
    return found


def transfers(
    simulator: Simulator, log: EpisodeLog, objective: Objective, final_ends: Array, per_hour: Array
) -> tuple[Array, Array]:
    """Return the log rows of attempts that moved bytes, and their TRANSFERs in order of begin."""
    rows = np.flatnonzero((log.site >= 0) & (log.source >= 0) & (log.moved_bytes > 0.0))
    rows = rows[np.lexsort((rows, log.placed_s[rows]))]
    latency, rate, _ = simulator.network()
    flows, first = np.zeros(len(rows), TRANSFER), log.origin[rows]
    source, target = log.source[rows].astype(np.int64), log.site[rows].astype(np.int64)
    flows["source"], flows["target"] = source, target
    flows["begin"] = log.placed_s[rows]
    flows["moving"] = flows["begin"] + latency[source, target]
    flows["bytes"], flows["link"] = log.moved_bytes[rows], rate[source, target]
    flows["turnaround"] = final_ends[first] - log.arrival_s[first]
    flows["ideal"] = np.maximum(log.ideal_s[first], log.bound_s)
    at_once = log.starting_s[rows] <= log.activation_s[rows]  # never started: False
    at_once &= np.isfinite(flows["turnaround"])
    flows["turnaround"] = np.where(at_once, flows["turnaround"], 0.0)
    flows["per_ln"] = np.where(at_once, objective.ln_slowdown, 0.0)
    flows["per_s"] = np.where(at_once, per_hour[rows], 0.0) / 3600.0
    flows["wanted"] = first >= log.warmup
    return rows, flows
