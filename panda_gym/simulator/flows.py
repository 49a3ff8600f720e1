"""Transfers between sites that share the network.

A flow takes its share of the rate from its start; its bytes move from one latency later on. Local
reads run at their own rate and are no flows.

    level 1   rate = min(link, cap of source / its outgoing, cap of destination / its incoming):
              endpoint sharing, exact for what it says
    level 2   max-min fairness with the links' rates as limits, by progressive filling (Bertsekas
              and Gallager, Data Networks, 2nd ed., section 6.5.2): the reference

A flow is re-timed only when its rate changes: left -= rate x time since.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from panda_gym.errors import SettingError
from panda_gym.jit.compiled import inline, no_inline
from panda_gym.jit.heap import before, put
from panda_gym.simulator.events import FLOW_RATE, note
from panda_gym.simulator.ranges import check_ranges


@dataclass(frozen=True)
class Network:
    """How transfers share the network."""

    level: int = 1
    """0: no sharing; 1: endpoint sharing; 2: max-min fairness."""
    mbps_per_core: float = 0.25
    """Capacity of a site, outgoing and incoming each, MB/s per core; at least its fastest link."""

    def __post_init__(self) -> None:
        if isinstance(self.level, bool) or self.level not in (0, 1, 2):
            raise SettingError("network level 0, 1 or 2", repr(self.level), "choose one")
        check_ranges(self, "network", {"mbps_per_core": (1e-6, 1e9)})


@no_inline
def sift(w: Any, e: int, hole: int, time: float, j: int) -> None:
    """Put flow j into the heap, from the empty place `hole` up or down."""
    heap, size = w.flow_heap[e], w.grids[e]["flows"]
    while hole > 0 and before(time, j, heap[(hole - 1) >> 1]):
        above = heap[(hole - 1) >> 1]
        put(heap[hole], above["time"], above["job"])
        w.flows[e, above["job"]]["heap_position"] = hole
        hole = (hole - 1) >> 1
    below = 2 * hole + 1
    while below < size:
        if below + 1 < size:
            other = heap[below + 1]
            if before(other["time"], other["job"], heap[below]):
                below += 1
        child = heap[below]
        if before(time, j, child):
            break
        put(heap[hole], child["time"], child["job"])
        w.flows[e, child["job"]]["heap_position"] = hole
        hole, below = below, 2 * below + 1
    put(heap[hole], time, j)
    w.flows[e, j]["heap_position"] = hole


@inline
def set_rate(w: Any, e: int, j: int, rate: float, t: float) -> None:
    """Set the rate of flow j from time t on, bytes/s."""
    flow = w.flows[e, j]
    if rate == flow["rate"]:
        return
    if flow["rate"] > 0.0:
        flow["left"] -= flow["rate"] * max(0.0, t - flow["since"])
        flow["left"] = max(0.0, flow["left"])
    flow["since"] = max(t, flow["since"])
    flow["rate"] = rate
    sift(w, e, flow["heap_position"], flow["since"] + flow["left"] / rate, j)
    note(w, e, FLOW_RATE, t, j, flow["target"], flow["source"], rate)


@inline
def endpoint_rate(w: Any, e: int, j: int) -> float:
    """Rate of flow j under endpoint sharing, bytes/s."""
    flow = w.flows[e, j]
    source, target = w.site_storage[e, flow["source"]], w.site_storage[e, flow["target"]]
    out, into = source["cap"] / source["outgoing"], target["cap"] / target["incoming"]
    return min(flow["link"], min(out, into))


@no_inline
def share_endpoints(w: Any, e: int, source: int, target: int, t: float, more: int) -> None:
    """Re-time flows from `source` or to `target` after one was added (more: 1) or removed (-1).

    A rate is the least of three limits. Where the share of an end falls, flows at or below the new
    share keep their rate; where it grows, flows below the old share keep it too, as another limit
    holds them.
    """
    out, into = w.site_storage[e, source], w.site_storage[e, target]
    j, flows, arriving = out["first_out"], out["outgoing"], False
    now, before = out["cap"] / max(1, flows), out["cap"] / max(1, flows - more)
    while True:
        if j < 0 and not arriving:
            j, flows, arriving = into["first_in"], into["incoming"], True
            now, before = into["cap"] / max(1, flows), into["cap"] / max(1, flows - more)
        if j < 0:
            break
        flow = w.flows[e, j]
        bound = flow["rate"] > now or flow["rate"] == 0.0 if more > 0 else flow["rate"] >= before
        if bound or (flow["source"] == source and flow["target"] == target):
            set_rate(w, e, j, endpoint_rate(w, e, j), t)
        j = flow["in_after"] if arriving else flow["out_after"]


@inline
def is_open(flow: Any) -> bool:
    """Whether progressive filling has not fixed the flow yet: its share is negative (or -0)."""
    return math.copysign(1.0, flow["share"]) < 0.0


@inline
def water_level(w: Any, e: int) -> float:
    """The next water level: the least rate that fills a link or an end of an open flow."""
    level = math.inf
    for k in range(w.grids[e]["flows"]):
        j = w.flow_heap[e, k]["job"]
        flow = w.flows[e, j]
        if is_open(flow):
            source, target = w.site_storage[e, flow["source"]], w.site_storage[e, flow["target"]]
            out = source["spare_out"] / source["open_out"]
            into = target["spare_in"] / target["open_in"]
            share = min(flow["link"], min(out, into))
            flow["share"] = -share
            level = min(level, share)
    return level


@inline
def fix_flows(w: Any, e: int, level: float) -> int:
    """Fix the open flows whose limit is at most `level`; return how many."""
    fixed, heap = 0, w.flow_heap[e]
    for k in range(w.grids[e]["flows"]):
        j = heap[k]["job"]
        flow = w.flows[e, j]
        if is_open(flow) and -flow["share"] <= level:
            flow["share"] = level
            source, target = w.site_storage[e, flow["source"]], w.site_storage[e, flow["target"]]
            source["open_out"] -= 1
            target["open_in"] -= 1
            source["spare_out"] = max(0.0, source["spare_out"] - level)
            target["spare_in"] = max(0.0, target["spare_in"] - level)
            fixed += 1
    return fixed


@no_inline
def share_max_min(w: Any, e: int, t: float) -> None:
    """Re-time all flows by progressive filling."""
    n = w.grids[e]["flows"]
    for s in range(len(w.site_static)):
        storage = w.site_storage[e, s]
        storage["spare_out"] = storage["spare_in"] = storage["cap"]
        storage["open_out"], storage["open_in"] = storage["outgoing"], storage["incoming"]
    for k in range(n):
        w.flows[e, w.flow_heap[e, k]["job"]]["share"] = -1.0
    left = n
    while left > 0:
        left -= fix_flows(w, e, water_level(w, e))
    # In the order of sites: re-timing reorders the heap.
    for s in range(len(w.site_static)):
        j = w.site_storage[e, s]["first_in"]
        while j >= 0:
            set_rate(w, e, j, w.flows[e, j]["share"], t)
            j = w.flows[e, j]["in_after"]


@inline
def share(w: Any, e: int, source: int, target: int, t: float, more: int) -> None:
    """Re-time the flows after one from `source` to `target` was added (more: 1) or removed (-1)."""
    if w.rules[0]["level"] == 2:
        share_max_min(w, e, t)
    else:
        share_endpoints(w, e, source, target, t, more)


@inline
def add_flow(w: Any, e: int, j: int, source: int, t: float) -> None:
    """Add the flow of the input of job j from `source` to its site."""
    grid, flow, target = w.grids[e], w.flows[e, j], w.job_states[e, j]["site"]
    flow["left"] = w.attempts[e, j]["moved_bytes"]
    flow["since"] = t + w.links[source, 0, target]
    flow["rate"] = 0.0
    flow["link"] = 1.0 / w.links[source, 1, target]
    flow["source"], flow["target"] = source, target
    a, b = w.site_storage[e, source], w.site_storage[e, target]
    flow["out_before"] = flow["in_before"] = -1
    flow["out_after"], flow["in_after"] = a["first_out"], b["first_in"]
    if a["first_out"] >= 0:
        w.flows[e, a["first_out"]]["out_before"] = j
    if b["first_in"] >= 0:
        w.flows[e, b["first_in"]]["in_before"] = j
    a["first_out"] = b["first_in"] = j
    a["outgoing"] += 1
    b["incoming"] += 1
    flow["heap_position"] = grid["flows"]
    grid["flows"] += 1
    put(w.flow_heap[e, flow["heap_position"]], math.inf, j)


@inline
def remove_flow(w: Any, e: int, j: int) -> None:
    """Remove flow j, complete or cut off."""
    grid, flow = w.grids[e], w.flows[e, j]
    source, target = flow["source"], flow["target"]
    if flow["out_before"] >= 0:
        w.flows[e, flow["out_before"]]["out_after"] = flow["out_after"]
    else:
        w.site_storage[e, source]["first_out"] = flow["out_after"]
    if flow["out_after"] >= 0:
        w.flows[e, flow["out_after"]]["out_before"] = flow["out_before"]
    if flow["in_before"] >= 0:
        w.flows[e, flow["in_before"]]["in_after"] = flow["in_after"]
    else:
        w.site_storage[e, target]["first_in"] = flow["in_after"]
    if flow["in_after"] >= 0:
        w.flows[e, flow["in_after"]]["in_before"] = flow["in_before"]
    w.site_storage[e, source]["outgoing"] -= 1
    w.site_storage[e, target]["incoming"] -= 1
    position, last = flow["heap_position"], grid["flows"] - 1
    flow["heap_position"] = -1
    grid["flows"] = last
    if position < last:
        moved = w.flow_heap[e, last]
        sift(w, e, position, moved["time"], moved["job"])


@no_inline
def begin_flows(w: Any, e: int) -> None:
    """Reset to no flows."""
    w.grids[e]["flows"] = 0
    for s in range(len(w.site_static)):
        storage = w.site_storage[e, s]
        storage["outgoing"] = storage["incoming"] = 0
        storage["first_out"] = storage["first_in"] = -1
