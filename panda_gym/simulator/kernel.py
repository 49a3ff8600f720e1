"""The compiled entry point: begin, step or drain a range of grids."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from panda_gym.jit.compiled import entry_decorator, inline, no_inline
from panda_gym.jit.heap import pop
from panda_gym.simulator.address_table import world_of
from panda_gym.simulator.competing import begin_load
from panda_gym.simulator.counters import (
    count_placement,
    last_refresh,
    observe,
    refresh,
    write_constants,
)
from panda_gym.simulator.dynamics import advance, next_return, reset_row, schedule_site
from panda_gym.simulator.events import ARRIVAL, NOBODY, REFRESH, note
from panda_gym.simulator.flows import begin_flows
from panda_gym.simulator.outages import begin_status
from panda_gym.simulator.placement import (
    assess,
    bytes_to_move,
    carrier,
    defer,
    forecast,
    place,
    stage_in,
    warmup_site,
)
from panda_gym.simulator.prefetch import fetch_first, fetch_fourth, fetch_second, fetch_third
from panda_gym.simulator.replication import act_on_data
from panda_gym.simulator.state import BLOCK
from panda_gym.simulator.storage import begin_storage


@inline
def is_superseded(w: Any, e: int) -> bool:
    """Whether the counters will be read again before the policy's first decision."""
    grid = w.grids[e]
    if grid["cursor"] >= grid["warmup"]:
        return False
    return last_refresh(w, w.jobs[e, grid["warmup"] - 1]["arrival"]) > grid["clock"]


@inline
def read_counters(w: Any, e: int) -> None:
    """Read the counters; skip readings of the warm start that the policy never observes."""
    grid = w.grids[e]
    if is_superseded(w, e):
        grid["refreshed"] = grid["clock"]
        note(w, e, REFRESH, grid["clock"], NOBODY, NOBODY, NOBODY, 0.0)
    else:
        refresh(w, e)


@inline
def proceed(w: Any, e: int, wanted: int, drain: bool) -> int:
    """Advance time until `wanted` jobs have arrived, reading the counters when they are due.

    Return how many have arrived; `World.pending` holds their rows. At equal times jobs of the
    stream come before returns. `drain`: take no more jobs from the stream. Where nothing is due
    to arrive, return at once if a job is pending, else run until all placed jobs have ended.
    """
    grid, pending = w.grids[e], w.pending[e]
    pending[:] = -1
    found, read_now, cursor = 0, False, grid["cursor"]
    while found < wanted:
        t, back = math.inf, next_return(w, e)
        if not drain and cursor < grid["jobs"]:
            t = w.jobs[e, cursor]["arrival"]
        returns = back < t
        t = min(t, back)
        if t == math.inf and found > 0:
            break
        read = last_refresh(w, t)
        due = read > grid["refreshed"] or (w.staleness_s == 0.0 and not read_now)
        due = due and t < math.inf
        if not advance(w, e, read if due else t):
            continue
        if due:
            read_counters(w, e)
            read_now = True
            continue
        if t == math.inf:
            break
        j = cursor
        if returns:
            j = pop(w.heap[e], w.rules[0]["first_return"], grid["returning"])
            grid["returning"] -= 1
        else:
            cursor += 1
        pending[found] = j
        found += 1
        read_now = False
        note(w, e, ARRIVAL, t, j, NOBODY, w.attempts[e, j]["origin"], w.jobs[e, j]["input_bytes"])
    return found


@inline
def arrivals_wanted(w: Any, e: int, what: int) -> int:
    """Number of arrivals that end the present round: one in the warm start and the drain."""
    grid, most = w.grids[e], w.pending.shape[1]
    if what == DRAIN or grid["cursor"] < grid["warmup"]:
        return 1
    if grid["until_ended"] > 0:
        return most
    return min(most, grid["jobs"] - grid["warmup"] - grid["decided"])


@inline
def check_done(w: Any, e: int) -> None:
    """Mark the episode as done if the policy has no more decisions to make.

    The last observation shows the job that would come next, so that learners can bootstrap.
    """
    grid = w.grids[e]
    if grid["until_ended"] > 0:
        grid["done"] = grid["judged_left"] == 0
    else:
        grid["done"] = grid["decided"] >= grid["jobs"] - grid["warmup"]
    if grid["done"] > 0 and w.pending[e, 0] < 0:
        w.pending[e, 0] = grid["next_job"]


@inline
def resolve_site(w: Any, e: int, q: int, j: int, action: int) -> int:
    """The site of a legal action; -1: the job is deferred; the fallback for an illegal action.

    The fallback is the site with the most cores (then the most capacity), which fits every job.
    """
    n, outcome = len(w.site_static), w.outcome[e, q]
    legal = 0 <= action < n + w.rules[0]["defer"] and w.mask[e, q, action] > 0
    outcome["illegal"] = 0 if legal else 1
    if not legal:
        return w.site_static[0]["by_cores"]
    return action if action < n else -1


@inline
def send(w: Any, e: int, s: int, j: int, q: int) -> None:
    """Send job j to site s; q >= 0: as decision q of the policy, whose outcome is written."""
    c = carrier(w, e, s, j)
    time, source = stage_in(w, e, s, j, c)
    if q >= 0:
        assess(w, e, q, s, j, time, bytes_to_move(w, e, s, j, source, c))
        forecast(w, e, s, j, time)
    place(w, e, s, j, time, source, c)
    if not is_superseded(w, e):
        count_placement(w, e, s, j, time)


@inline
def reset_outcome(w: Any, e: int) -> None:
    """Reset the sums that run until the next decision, and the outcomes."""
    grid = w.grids[e]
    grid["area"] = grid["ended_gflop"] = grid["ended_ln"] = grid["expected_ln"] = 0.0
    grid["wasted"] = grid["overrun"] = grid["replicated"] = 0.0
    grid["ended"] = grid["closures"] = grid["failures"] = 0
    for q in range(w.outcome.shape[1]):
        outcome = w.outcome[e, q]
        outcome["site"] = -1
        outcome["illegal"] = outcome["deferred"] = 0
        outcome["age"] = outcome["transfer"] = 0.0
        outcome["wait_pred"] = outcome["wait_true"] = 0.0
        outcome["run_pred"] = outcome["run_true"] = outcome["wan_bytes"] = 0.0
        outcome["ideal_pred"] = outcome["ideal_true"] = 0.0
        outcome["area"] = outcome["ended"] = outcome["ended_gflop"] = outcome["ended_ln"] = 0.0
        outcome["expected_ln"] = 0.0
        outcome["wasted_core_s"] = outcome["closures"] = outcome["failures"] = 0.0
        outcome["overrun_bytes"] = outcome["energy_kwh"] = outcome["carbon_kg"] = 0.0


@inline
def write_outcome(w: Any, e: int) -> None:
    """Write the sums since the decisions into the outcome of the last of them."""
    grid, outcome = w.grids[e], w.outcome[e, w.outcome.shape[1] - 1]
    outcome["area"] = grid["area"]
    outcome["ended"] = grid["ended"]
    outcome["ended_gflop"] = grid["ended_gflop"]
    outcome["ended_ln"] = grid["ended_ln"]
    outcome["expected_ln"] = grid["expected_ln"]
    outcome["wasted_core_s"] = grid["wasted"]
    outcome["closures"] = grid["closures"]
    outcome["failures"] = grid["failures"]
    outcome["overrun_bytes"] = grid["overrun"]


@inline
def decide(w: Any, e: int, q: int, actions: Any) -> int:
    """Carry out the decision about pending job q; return its site, -1 if it has none."""
    j, k = w.pending[e, q], w.pending.shape[1]
    if j < 0:
        return -1
    w.grids[e]["decided"] += 1
    if w.rules[0]["replicate"] > 0:
        n = len(w.site_static)
        first, asked = n + w.rules[0]["defer"], actions[e, k + q]
        if not (0 <= asked <= 2 * n and w.mask[e, q, first + asked] > 0):
            w.outcome[e, q]["illegal"] = 1
        elif asked > 0:
            before = w.grids[e]["replicated"]
            act_on_data(w, e, j, asked)
            w.outcome[e, q]["wan_bytes"] += w.grids[e]["replicated"] - before
    wrong = w.outcome[e, q]["illegal"]
    s = resolve_site(w, e, q, j, actions[e, q])
    w.outcome[e, q]["illegal"] = max(wrong, w.outcome[e, q]["illegal"])
    if s < 0:
        defer(w, e, q, j)
    return s


@no_inline
def reset_grid(w: Any, e: int) -> None:
    """Reset grid e to time 0: no job placed, competing load drawn."""
    grid = w.grids[e]
    grid["clock"] = 0.0
    grid["refreshed"] = -1.0
    grid["cursor"] = grid["queued_events"] = grid["unfinished"] = grid["decided"] = 0
    grid["returning"] = grid["replications"] = grid["events"] = grid["events_lost"] = 0
    grid["rows"] = grid["jobs"]
    grid["judged_left"] = grid["judged"] - grid["warmup"]
    grid["done"] = 0
    grid["next_limit"] = math.inf
    grid["first_assigned"] = grid["first_activated"] = -1
    for j in range(grid["jobs"]):
        reset_row(w, e, j)
    begin_storage(w, e)
    begin_flows(w, e)
    w.next_events[e, :] = math.inf
    for block in range(w.blocks):
        w.block_leaders[e, block] = block * BLOCK
    for s in range(len(w.site_static)):
        site = w.sites[e, s]
        site["run_pred"] = site["run_true"] = site["queue_pred"] = site["queue_true"] = 0.0
        site["used"] = site["committed_cores"] = 0
        site["assigned"] = site["activated"] = site["running"] = 0
        site["head"] = site["tail"] = -1
        begin_load(w, e, s)
        begin_status(w, e, s)
        schedule_site(w, e, s)


BEGIN: Final = 0
STEP: Final = 1
DRAIN: Final = 2


entry = entry_decorator(Path(__file__).parent)
"""A function that Python calls, cached until a source of the simulator changes."""


@entry
def run(table: Any, actions: Any, first: int, last: int, what: int) -> None:
    """Begin, step or drain the grids from `first` to before `last`: the one entry from Python.

    `table`: the address table of a World, see `panda_gym.simulator.address_table`.

    A round places the pending jobs and advances time to the next arrivals. A step is one round by
    the policy's actions, and nothing once the episode is done; the warm start is rounds by a fixed
    rule; the drain places nothing. There is one loop for all three, because each call site would
    be compiled with all that it calls.
    """
    w = world_of(table)
    for e in range(first, last):
        if what == STEP:
            fetch_first(w, min(e + 5, last - 1))
            other = min(e + 4, last - 1)
            fetch_second(w, other, actions[other, 0])
            other = min(e + 3, last - 1)
            fetch_third(w, other, actions[other, 0])
            fetch_fourth(w, min(e + 2, last - 1))
        grid = w.grids[e]
        if what == BEGIN:
            reset_grid(w, e)
            write_constants(w, e)
        if what != DRAIN:
            reset_outcome(w, e)
        if what == STEP and grid["done"] > 0:
            continue
        waiting, warm = (w.pending.shape[1] if what == STEP else 0), False
        while True:
            for q in range(waiting):
                j, s = w.pending[e, q], -1
                if what == STEP:
                    s = decide(w, e, q, actions)
                elif warm:
                    s = warmup_site(w, e, j)
                if s >= 0:
                    send(w, e, s, j, q if what == STEP else -1)
                if j < grid["jobs"]:
                    grid["cursor"] = max(grid["cursor"], j + 1)
            warm = what != DRAIN and grid["cursor"] < grid["warmup"]
            waiting = proceed(w, e, arrivals_wanted(w, e, what), what == DRAIN)
            if not warm and (what != DRAIN or waiting == 0):
                break
        if what != DRAIN:
            check_done(w, e)
        if what == STEP:
            write_outcome(w, e)
        if what != DRAIN:
            observe(w, e)
            if grid["done"] > 0:
                w.pending[e, :] = -1
