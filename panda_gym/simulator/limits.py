"""PanDA's time limits; knows when they strike, never what follows.

Jobs are assigned, and activated, in the order of time, so that a line for each of the two
limits has its next victim in front. Jobs that have moved on are dropped when they get there.
The limit on running is known at the start (`failures.fate`), the lost heartbeat belongs to
`outages`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from panda_gym.jit.compiled import inner, shared
from panda_gym.simulator.ranges import check_ranges
from panda_gym.simulator.state import ACTIVATED, ASSIGNED


@dataclass(frozen=True)
class Limits:
    """How long a job may be in a state (PanDA server, 2026)."""

    assigned_s: float = 43200.0
    """Assigned: 12 h, then closed."""
    activated_s: float = 172800.0
    """Activated: 2 d, then closed."""
    running_s: float = 1814400.0
    """Running: 21 d, then failed."""
    heartbeat_s: float = 7200.0
    """Down sites: 2 h after the last heartbeat their running jobs have failed."""

    def __post_init__(self) -> None:
        names = ("assigned_s", "activated_s", "running_s", "heartbeat_s")
        check_ranges(self, "limits", dict.fromkeys(names, (1.0, 1000000000.0)))


@inner
def line_up_assigned(w: Any, e: int, j: int) -> None:
    """Job j has just been assigned."""
    grid = w.grids[e]
    if w.rules[0]["limits"] == 0:
        return
    w.attempts[e, j]["after_assigned"] = -1
    if grid["first_assigned"] < 0:
        grid["first_assigned"] = j
        note_limit(w, e)
    else:
        w.attempts[e, grid["last_assigned"]]["after_assigned"] = j
    grid["last_assigned"] = j


@inner
def line_up_activated(w: Any, e: int, j: int) -> None:
    """Job j has just been activated."""
    grid = w.grids[e]
    if w.rules[0]["limits"] == 0:
        return
    w.attempts[e, j]["after_activated"] = -1
    if grid["first_activated"] < 0:
        grid["first_activated"] = j
        note_limit(w, e)
    else:
        w.attempts[e, grid["last_activated"]]["after_activated"] = j
    grid["last_activated"] = j


@inner
def assigned_until(w: Any, e: int) -> float:
    """When the job in front may be assigned no longer, s; inf: nobody is."""
    j = w.grids[e]["first_assigned"]
    return w.attempts[e, j]["placed"] + w.rules[0]["assigned_s"] if j >= 0 else math.inf


@inner
def activated_until(w: Any, e: int) -> float:
    """When the job in front may be activated no longer, s; inf: nobody is."""
    j = w.grids[e]["first_activated"]
    return w.tracks[e, j]["activation"] + w.rules[0]["activated_s"] if j >= 0 else math.inf


@inner
def note_limit(w: Any, e: int) -> None:
    """Enter when the next limit may strike."""
    w.grids[e]["limit"] = min(assigned_until(w, e), activated_until(w, e))


@shared
def overdue(w: Any, e: int) -> int:
    """Take the job that the next limit strikes out of its line; -1: it has moved on, as those
    behind it that are dropped too."""
    grid, struck = w.grids[e], -1
    if assigned_until(w, e) <= activated_until(w, e):
        j = grid["first_assigned"]
        struck = j if w.tracks[e, j]["state"] == ASSIGNED else -1
        j = w.attempts[e, j]["after_assigned"]
        while j >= 0 and w.tracks[e, j]["state"] != ASSIGNED:
            j = w.attempts[e, j]["after_assigned"]
        grid["first_assigned"] = j
    else:
        j = grid["first_activated"]
        struck = j if w.tracks[e, j]["state"] == ACTIVATED else -1
        j = w.attempts[e, j]["after_activated"]
        while j >= 0 and w.tracks[e, j]["state"] != ACTIVATED:
            j = w.attempts[e, j]["after_activated"]
        grid["first_activated"] = j
    note_limit(w, e)
    return struck
