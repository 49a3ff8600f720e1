"""PanDA's time limits on assigned and activated jobs.

Jobs enter each state in the order of time, so each of the two limits has a list whose first job
expires next. Jobs that have left the state are dropped when they reach the front. The limit on
running and requested wall times are applied at the start (`failures.draw_failure`), the lost
heartbeat in `outages`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.simulator.ranges import check_ranges
from panda_gym.simulator.state import ACTIVATED, ASSIGNED


@dataclass(frozen=True)
class Limits:
    """Most time of a job in a state (PanDA server, 2026)."""

    assigned_s: float = 43200.0
    """Assigned: 12 h, then closed."""
    activated_s: float = 172800.0
    """Activated: 2 d, then closed."""
    running_s: float = 1814400.0
    """Running: 21 d, then failed."""
    heartbeat_s: float = 7200.0
    """Down sites: 2 h after the last heartbeat, their running jobs fail."""

    def __post_init__(self) -> None:
        names = ("assigned_s", "activated_s", "running_s", "heartbeat_s")
        check_ranges(self, "limits", dict.fromkeys(names, (1.0, 1000000000.0)))


@inline
def watch_assigned(w: Any, e: int, j: int) -> None:
    """Append job j to the list of assigned jobs."""
    grid = w.grids[e]
    if w.rules[0]["limits"] == 0:
        return
    w.attempts[e, j]["next_assigned"] = -1
    if grid["first_assigned"] < 0:
        grid["first_assigned"] = j
        schedule_limit(w, e)
    else:
        w.attempts[e, grid["last_assigned"]]["next_assigned"] = j
    grid["last_assigned"] = j


@inline
def watch_activated(w: Any, e: int, j: int) -> None:
    """Append job j to the list of activated jobs."""
    grid = w.grids[e]
    if w.rules[0]["limits"] == 0:
        return
    w.attempts[e, j]["next_activated"] = -1
    if grid["first_activated"] < 0:
        grid["first_activated"] = j
        schedule_limit(w, e)
    else:
        w.attempts[e, grid["last_activated"]]["next_activated"] = j
    grid["last_activated"] = j


@inline
def assigned_until(w: Any, e: int) -> float:
    """Time at which the first assigned job passes its limit, s; inf: none is assigned."""
    j = w.grids[e]["first_assigned"]
    return w.attempts[e, j]["placed"] + w.rules[0]["assigned_s"] if j >= 0 else math.inf


@inline
def activated_until(w: Any, e: int) -> float:
    """Time at which the first activated job passes its limit, s; inf: none is activated."""
    j = w.grids[e]["first_activated"]
    return w.job_states[e, j]["activation"] + w.rules[0]["activated_s"] if j >= 0 else math.inf


@inline
def schedule_limit(w: Any, e: int) -> None:
    """Enter the time of the next limit."""
    w.grids[e]["next_limit"] = min(assigned_until(w, e), activated_until(w, e))


@no_inline
def pop_overdue(w: Any, e: int) -> int:
    """Pop the next job past its time limit; return -1 if it has left that state.

    Jobs behind it that have left the state are dropped from the list.
    """
    grid, job = w.grids[e], -1
    if assigned_until(w, e) <= activated_until(w, e):
        j = grid["first_assigned"]
        job = j if w.job_states[e, j]["state"] == ASSIGNED else -1
        j = w.attempts[e, j]["next_assigned"]
        while j >= 0 and w.job_states[e, j]["state"] != ASSIGNED:
            j = w.attempts[e, j]["next_assigned"]
        grid["first_assigned"] = j
    else:
        j = grid["first_activated"]
        job = j if w.job_states[e, j]["state"] == ACTIVATED else -1
        j = w.attempts[e, j]["next_activated"]
        while j >= 0 and w.job_states[e, j]["state"] != ACTIVATED:
            j = w.attempts[e, j]["next_activated"]
        grid["first_activated"] = j
    schedule_limit(w, e)
    return job
