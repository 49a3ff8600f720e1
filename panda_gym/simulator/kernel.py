"""The compiled entry point: begin, step or drain a range of grids; knows no faces."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from panda_gym.jit.compiled import entries, inner, shared
from panda_gym.jit.heap import pop
from panda_gym.simulator.address_table import world_of
from panda_gym.simulator.competing import begin_load
from panda_gym.simulator.counters import (
    last_refresh,
    note_placement,
    observe,
    refresh,
    write_constants,
)
from panda_gym.simulator.dynamics import advance, blank, next_return, note_event
from panda_gym.simulator.events import ARRIVAL, NOBODY, REFRESH, note
from panda_gym.simulator.flows import begin_flows
from panda_gym.simulator.outages import begin_gate
from panda_gym.simulator.placement import assess, defer, place, stage_in, warm_site
from panda_gym.simulator.prefetch import fetch_first, fetch_fourth, fetch_second, fetch_third
from panda_gym.simulator.replication import act_on_data
from panda_gym.simulator.state import BLOCK
from panda_gym.simulator.storage import begin_storage


@inner
def unseen(w: Any, e: int) -> bool:
    """Whether what the counters show now is read anew before the policy's first decision."""
    grid = w.grids[e]
    if grid["cursor"] >= grid["warmup"]:
        return False
    return last_refresh(w, w.jobs[e, grid["warmup"] - 1]["arrival"]) > grid["clock"]


@inner
def read_counters(w: Any, e: int) -> None:
    """Read the counters, but for those of the warm start that nobody will have seen."""
    grid = w.grids[e]
    if unseen(w, e):
        grid["refreshed"] = grid["clock"]
        note(w, e, REFRESH, grid["clock"], NOBODY, NOBODY, NOBODY, 0.0)
    else:
        refresh(w, e)


@inner
def proceed(w: Any, e: int, wanted: int, drain: bool) -> int:
    """Let time run until `wanted` jobs have arrived, reading the counters when they are due.

    Return how many have; their rows stand in the turn. Of jobs that arrive at the same time
    those of the stream come first, then those that come back. `drain`: the stream has no more;
    without jobs that come back, all placed jobs are to end.
    """
    grid, turn = w.grids[e], w.turn[e]
    turn[:] = -1
    found, read_now, cursor = 0, False, grid["cursor"]
    while found < wanted:
        t, back = math.inf, next_return(w, e)
        if not drain and cursor < grid["jobs"]:
            t = w.jobs[e, cursor]["arrival"]
        returns = back < t
        t = min(t, back)
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
        turn[found] = j
        found += 1
        read_now = False
        note(w, e, ARRIVAL, t, j, NOBODY, w.attempts[e, j]["origin"], w.jobs[e, j]["input_bytes"])
    return found


@inner
def settle_site(w: Any, e: int, q: int, j: int, action: int) -> int:
    """Where job j goes: the site of a legal action; -1: it is deferred; else the fallback.

    The fallback is the site with the most cores (then the most capacity), which fits every job.
    """
    n, outcome = len(w.places), w.outcome[e, q]
    legal = 0 <= action < n + w.rules[0]["defer"] and w.mask[e, q, action] > 0
    outcome["illegal"] = 0 if legal else 1
    if not legal:
        return w.places[0]["by_cores"]
    return action if action < n else -1


@inner
def send(w: Any, e: int, s: int, j: int, q: int) -> None:
    """Job j goes to site s; q >= 0: as a decision of the policy, which is assessed."""
    time, source = stage_in(w, e, s, j)
    if q >= 0:
        moved = w.jobs[e, j]["input_bytes"] if source >= 0 and source != s else 0.0
        assess(w, e, q, s, j, time, moved)
    place(w, e, s, j, time, source)
    if not unseen(w, e):
        note_placement(w, e, s, j, time)


@inner
def forget(w: Any, e: int) -> None:
    """What is counted until the next decision begins at nothing."""
    grid = w.grids[e]
    grid["area"] = grid["ended_gflop"] = grid["ended_ln"] = 0.0
    grid["wasted"] = grid["overrun"] = grid["copied"] = 0.0
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
        outcome["wasted_core_s"] = outcome["closures"] = outcome["failures"] = 0.0
        outcome["overrun_bytes"] = 0.0


@inner
def account(w: Any, e: int) -> None:
    """What the decisions led to until now, in the outcome of the last of them."""
    grid, outcome = w.grids[e], w.outcome[e, w.outcome.shape[1] - 1]
    outcome["area"] = grid["area"]
    outcome["ended"] = grid["ended"]
    outcome["ended_gflop"] = grid["ended_gflop"]
    outcome["ended_ln"] = grid["ended_ln"]
    outcome["wasted_core_s"] = grid["wasted"]
    outcome["closures"] = grid["closures"]
    outcome["failures"] = grid["failures"]
    outcome["overrun_bytes"] = grid["overrun"]


@inner
def decide(w: Any, e: int, q: int, actions: Any) -> int:
    """Take the decision about job q of the turn; return its site, -1 if it goes nowhere."""
    j, k = w.turn[e, q], w.turn.shape[1]
    if j < 0:
        return -1
    w.grids[e]["decided"] += 1
    if w.rules[0]["replicate"] > 0:
        n = len(w.places)
        first, asked = n + w.rules[0]["defer"], actions[e, k + q]
        if not (0 <= asked <= 2 * n and w.mask[e, q, first + asked] > 0):
            w.outcome[e, q]["illegal"] = 1
        elif asked > 0:
            before = w.grids[e]["copied"]
            act_on_data(w, e, j, asked)
            w.outcome[e, q]["wan_bytes"] += w.grids[e]["copied"] - before
    wrong = w.outcome[e, q]["illegal"]
    s = settle_site(w, e, q, j, actions[e, q])
    w.outcome[e, q]["illegal"] = max(wrong, w.outcome[e, q]["illegal"])
    if s < 0:
        defer(w, e, q, j)
    return s


@shared
def empty(w: Any, e: int) -> None:
    """An empty grid at time 0: no job placed, competing load drawn."""
    grid = w.grids[e]
    grid["clock"] = 0.0
    grid["refreshed"] = -1.0
    grid["cursor"] = grid["agenda"] = grid["unfinished"] = grid["decided"] = 0
    grid["returning"] = grid["carriers"] = grid["events"] = grid["events_lost"] = 0
    grid["rows"] = grid["jobs"]
    grid["limit"] = math.inf
    grid["first_assigned"] = grid["first_activated"] = -1
    for j in range(grid["jobs"]):
        blank(w, e, j)
    begin_storage(w, e)
    begin_flows(w, e)
    w.events[e, :] = math.inf
    for block in range(w.blocks):
        w.leaders[e, block] = block * BLOCK
    for s in range(len(w.places)):
        site = w.sites[e, s]
        site["run_pred"] = site["run_true"] = site["queue_pred"] = site["queue_true"] = 0.0
        site["used"] = site["promised"] = 0
        site["assigned"] = site["activated"] = site["running"] = 0
        site["head"] = site["tail"] = -1
        begin_load(w, e, s)
        begin_gate(w, e, s)
        note_event(w, e, s)


BEGIN: Final = 0
STEP: Final = 1
DRAIN: Final = 2


entry = entries(Path(__file__).parent)
"""A function that Python calls, cached until a source of the simulator changes."""


@entry
def run(table: Any, actions: Any, first: int, last: int, what: int) -> None:
    """Begin, step or drain the grids from `first` to before `last`: the one entry from Python.

    `table` is that of a World, see `address_table`.

    A round places the jobs of the turn and lets time run to the next turn. A step is one round
    by the policy's actions; the warm start and the end of the last jobs are rounds by a fixed
    rule. One loop for all, because each call would be compiled with all that it calls.
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
        grid, turns = w.grids[e], w.turn.shape[1]
        if what == BEGIN:
            empty(w, e)
            write_constants(w, e)
        if what != DRAIN:
            forget(w, e)
        waiting, warm = (turns if what == STEP else 0), False
        while True:
            for q in range(waiting):
                j = w.turn[e, q]
                s = decide(w, e, q, actions) if what == STEP else warm_site(w, e, j)
                if s >= 0:
                    send(w, e, s, j, q if what == STEP else -1)
                if j < grid["jobs"]:
                    grid["cursor"] = max(grid["cursor"], j + 1)
            warm = what != DRAIN and grid["cursor"] < grid["warmup"]
            left = grid["jobs"] - grid["warmup"] - grid["decided"]
            wanted = 1 if warm or what == DRAIN else min(turns, left)
            waiting = proceed(w, e, wanted, what == DRAIN)
            if not warm and (what != DRAIN or waiting == 0):
                break
        if what == STEP:
            account(w, e)
        if what != DRAIN:
            observe(w, e)
