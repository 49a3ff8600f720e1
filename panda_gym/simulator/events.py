"""The event buffer of the log level "events"."""

from __future__ import annotations

from typing import Any, Final

from panda_gym.jit.compiled import inline
from panda_gym.simulator.state import KINDS

(
    ARRIVAL, PLACEMENT, DEFERRAL, ACTIVATION, CORES_TAKEN, END, RETRY,
    FLOW_START, FLOW_RATE, FLOW_END, REPLICA_BEGUN, REPLICA_THERE, REPLICA_GONE,
    OUTPUT, SITE_UP, SITE_BROWN, SITE_DOWN, COMPETING_LOAD, REFRESH,
) = range(len(KINDS))  # fmt: skip

NOBODY: Final = -1


@inline
def note(w: Any, e: int, kind: int, t: float, job: int, site: int, other: int, size: float) -> None:
    """Append an event to the buffer; count those that do not fit."""
    if len(w.log[e]) == 0:
        return
    grid = w.grids[e]
    if grid["events"] >= len(w.log[e]):
        grid["events_lost"] += 1
        return
    event = w.log[e, grid["events"]]
    event["time"] = t
    event["bytes"] = size
    event["job"] = job
    event["site"] = site
    event["other"] = other
    event["kind"] = kind
    grid["events"] += 1
