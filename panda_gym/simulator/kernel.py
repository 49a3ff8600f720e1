"""The compiled entry point: begin, step or drain a range of grids; knows no faces."""

from __future__ import annotations

import math
from typing import Any, Final

from panda_gym.simulator.competing import begin_load
from panda_gym.simulator.compiled import entry, inner
from panda_gym.simulator.counters import (
    last_refresh,
    note_placement,
    observe,
    refresh,
    write_constants,
)
from panda_gym.simulator.dynamics import advance, note_event
from panda_gym.simulator.placement import assess, fits, place, stage_in, warm_site


@inner
def proceed(w: Any, e: int) -> None:
    """Let time run to the next arrival, reading the counters when they are due."""
    grid = w.grids[e]
    if grid["cursor"] >= grid["jobs"]:
        return
    t = w.jobs[e, grid["cursor"]]["arrival"]
    read = last_refresh(w, t)
    if read > grid["refreshed"] or w.staleness_s == 0.0:
        advance(w, e, read)
        refresh(w, e)
    advance(w, e, t)


@inner
def decide(w: Any, e: int, action: int) -> None:
    """Place the job at the cursor at site `action`; an illegal one goes to the fallback.

    The fallback is the site with the most cores (then the most capacity), which fits every job.
    """
    grid, outcome = w.grids[e], w.outcome[e]
    j = grid["cursor"]
    if j >= grid["jobs"]:
        return
    legal = 0 <= action < len(w.places) and fits(w, e, action, j)
    s = action if legal else w.places[0]["by_cores"]
    outcome["illegal"] = 0 if legal else 1
    grid["area"] = grid["ended_gflop"] = grid["ended_ln"] = 0.0
    grid["ended"] = 0
    time, moved = stage_in(w, e, s, j)
    assess(w, e, s, time, moved)
    place(w, e, s, time, moved)
    note_placement(w, e, s, j, time)
    proceed(w, e)
    outcome["area"] = grid["area"]
    outcome["ended"] = grid["ended"]
    outcome["ended_gflop"] = grid["ended_gflop"]
    outcome["ended_ln"] = grid["ended_ln"]


@inner
def empty(w: Any, e: int) -> None:
    """An empty grid at time 0: no job placed, competing load drawn."""
    grid = w.grids[e]
    grid["clock"] = grid["area"] = grid["ended_gflop"] = grid["ended_ln"] = 0.0
    grid["refreshed"] = -1.0
    grid["cursor"] = grid["staging"] = grid["unfinished"] = grid["ended"] = 0
    for j in range(grid["jobs"]):
        track = w.tracks[e, j]
        track["activation"] = track["start"] = track["end"] = track["pred_end"] = math.nan
        track["ln_slowdown"] = track["moved"] = 0.0
        track["site"] = track["next"] = -1
    w.events[e, :] = math.inf
    for s in range(len(w.places)):
        site = w.sites[e, s]
        site["run_pred"] = site["run_true"] = site["queue_pred"] = site["queue_true"] = 0.0
        site["used"] = site["promised"] = 0
        site["assigned"] = site["activated"] = site["running"] = 0
        site["head"] = site["tail"] = -1
        begin_load(w, e, s)
        note_event(w, e, s)


@inner
def begin(w: Any, e: int) -> None:
    """Start the episode that was loaded: empty grid, warm start, first observation."""
    grid, outcome = w.grids[e], w.outcome[e]
    empty(w, e)
    write_constants(w, e)
    proceed(w, e)
    while grid["cursor"] < grid["warmup"]:
        j = grid["cursor"]
        s = warm_site(w, e, j)
        time, moved = stage_in(w, e, s, j)
        place(w, e, s, time, moved)
        note_placement(w, e, s, j, time)
        proceed(w, e)
    outcome["site"] = -1
    outcome["illegal"] = 0
    outcome["wait_pred"] = outcome["wait_true"] = outcome["transfer"] = 0.0
    outcome["run_pred"] = outcome["run_true"] = outcome["wan_bytes"] = 0.0
    outcome["ideal_pred"] = outcome["ideal_true"] = 0.0
    outcome["area"] = outcome["ended"] = outcome["ended_gflop"] = outcome["ended_ln"] = 0.0


BEGIN: Final = 0
STEP: Final = 1
DRAIN: Final = 2


@entry
def run(w: Any, actions: Any, first: int, last: int, what: int) -> None:
    """Begin, step or drain the grids from `first` to before `last`: the one entry from Python.

    One function instead of three, because each would be compiled with all that it calls.
    """
    for e in range(first, last):
        if what == DRAIN:
            advance(w, e, math.inf)
            continue
        if what == BEGIN:
            begin(w, e)
        else:
            decide(w, e, actions[e])
        observe(w, e)
