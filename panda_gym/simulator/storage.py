"""What lies on the disks of the sites; knows datasets and quotas, never queues.

Primary replicas stay. The input of a job placed where it is not held is staged into a secondary
replica, which stays; outputs are written where the job ran. Both count against the site's
quota. Where room is needed, replicas that no job uses go, the one placed for longest ago first
(least recently used); if even that would not make room, nothing goes, the input is read through
and not kept (or the output shipped at once), and the bytes are an overrun. Sizes are whole
bytes, so that sums are exact in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from panda_gym.jit.compiled import inner, shared
from panda_gym.simulator.events import (
    NOBODY,
    OUTPUT,
    REPLICA_BEGUN,
    REPLICA_GONE,
    REPLICA_THERE,
    note,
)
from panda_gym.simulator.ranges import check_ranges
from panda_gym.simulator.replica_index import (
    HELD,
    KEPT,
    NO_SITE,
    begin_rows,
    in_set,
    put_in,
    take_off,
)


@dataclass(frozen=True)
class Storage:
    """How much sites keep beside their primary replicas."""

    gb_per_core: float = 10.0
    """Quota of a site for secondary replicas and outputs, GB per core."""
    output: float = 0.1
    """Bytes of output per byte of input."""

    def __post_init__(self) -> None:
        check_ranges(self, "storage", {"gb_per_core": (0.0, 1e9), "output": (0.0, 100.0)})


@inner
def known(w: Any, e: int, d: int) -> bool:
    """Whether any site holds dataset d for good; else it is at hand everywhere."""
    primary = w.datasets[e, d]["primary"]
    return primary[0] >= 0 or primary[1] >= 0 or primary[2] >= 0


@inner
def find(w: Any, e: int, d: int, s: int) -> int:
    """The secondary replica of dataset d at site s, there or begun; -1 none."""
    if not in_set(w, e, d, KEPT, s):
        return -1
    r = w.datasets[e, d]["first"]
    while w.pool[e, r]["site"] != s:
        r = w.pool[e, r]["next"]
    return r


@inner
def unlink(w: Any, e: int, r: int) -> None:
    """Take a replica out of the order of use at its site."""
    one = w.pool[e, r]
    store = w.stores[e, one["site"]]
    if one["older"] >= 0:
        w.pool[e, one["older"]]["newer"] = one["newer"]
    else:
        store["oldest"] = one["newer"]
    if one["newer"] >= 0:
        w.pool[e, one["newer"]]["older"] = one["older"]
    else:
        store["newest"] = one["older"]


@inner
def append(w: Any, e: int, r: int) -> None:
    """Put a replica last in the order of use at its site."""
    one = w.pool[e, r]
    store = w.stores[e, one["site"]]
    one["newer"] = -1
    one["older"] = store["newest"]
    if store["newest"] >= 0:
        w.pool[e, store["newest"]]["newer"] = r
    else:
        store["oldest"] = r
    store["newest"] = r


@shared
def create(w: Any, e: int, s: int, d: int, size: float) -> int:
    """A replica of dataset d (-1: an output) at site s, used last and not yet there."""
    grid = w.grids[e]
    r = grid["unused"]
    if r >= 0:
        grid["unused"] = w.pool[e, r]["next"]
    else:
        r = grid["replicas"]
        grid["replicas"] = r + 1
    one = w.pool[e, r]
    one["bytes"] = size
    one["site"] = s
    one["dataset"] = d
    one["pins"] = 0
    one["there"] = 0
    one["next"] = -1
    if d >= 0:
        one["next"] = w.datasets[e, d]["first"]
        w.datasets[e, d]["first"] = r
        put_in(w, e, d, KEPT, s)
    append(w, e, r)
    w.stores[e, s]["used"] += size
    return r


@shared
def drop(w: Any, e: int, r: int) -> None:
    """Remove a replica that nobody uses."""
    grid, one = w.grids[e], w.pool[e, r]
    d, s = one["dataset"], one["site"]
    unlink(w, e, r)
    w.stores[e, s]["used"] -= one["bytes"]
    if d >= 0:
        take_off(w, e, d, KEPT, s)
        take_off(w, e, d, HELD, s)
        dataset = w.datasets[e, d]
        if dataset["first"] == r:
            dataset["first"] = one["next"]
        else:
            other = dataset["first"]
            while w.pool[e, other]["next"] != r:
                other = w.pool[e, other]["next"]
            w.pool[e, other]["next"] = one["next"]
    note(w, e, REPLICA_GONE, grid["clock"], NOBODY, s, d, one["bytes"])
    one["next"] = grid["unused"]
    grid["unused"] = r


@shared
def make_room(w: Any, e: int, s: int, size: float) -> bool:
    """Free `size` bytes of the quota of site s, if that can be done."""
    store = w.stores[e, s]
    if store["pinned"] + size > store["quota"]:
        return False
    r = store["oldest"]
    while store["used"] + size > store["quota"]:
        newer = w.pool[e, r]["newer"]
        if w.pool[e, r]["pins"] == 0:
            drop(w, e, r)
        r = newer
    return True


@inner
def pin(w: Any, e: int, r: int) -> None:
    """One more job uses a replica; it is the one used last."""
    one = w.pool[e, r]
    if one["pins"] == 0:
        w.stores[e, one["site"]]["pinned"] += one["bytes"]
    one["pins"] += 1
    if w.stores[e, one["site"]]["newest"] != r:
        unlink(w, e, r)
        append(w, e, r)


@shared
def claim(w: Any, e: int, s: int, j: int) -> None:
    """Job j goes to site s: pin the replica there, or begin one, or count the overrun."""
    d, track = w.jobs[e, j]["dataset"], w.tracks[e, j]
    track["replica"] = -1
    if w.rules[0]["storage"] == 0 or not w.jobs[e, j]["input_bytes"] > 0.0 or not known(w, e, d):
        return
    r = find(w, e, d, s)
    if r < 0 and not in_set(w, e, d, HELD, s):
        size = w.datasets[e, d]["bytes"]
        if not make_room(w, e, s, size):
            w.grids[e]["overrun"] += size
            return
        r = create(w, e, s, d, size)
        note(w, e, REPLICA_BEGUN, w.grids[e]["clock"], NOBODY, s, d, size)
    if r >= 0:
        pin(w, e, r)
    track["replica"] = r


@inner
def complete(w: Any, e: int, j: int, t: float) -> None:
    """The input of job j has come: its replica may be read from now on."""
    r = w.tracks[e, j]["replica"]
    if w.rules[0]["storage"] == 0 or r < 0 or w.pool[e, r]["there"] > 0:
        return
    one = w.pool[e, r]
    one["there"] = 1
    put_in(w, e, one["dataset"], HELD, one["site"])
    note(w, e, REPLICA_THERE, t, NOBODY, one["site"], one["dataset"], one["bytes"])


@inner
def release(w: Any, e: int, j: int) -> None:
    """Job j leaves: it pins its replica no longer; one that never came is given up."""
    r = w.tracks[e, j]["replica"]
    if w.rules[0]["storage"] == 0 or r < 0:
        return
    one = w.pool[e, r]
    one["pins"] -= 1
    if one["pins"] == 0:
        w.stores[e, one["site"]]["pinned"] -= one["bytes"]
        if one["there"] == 0:
            drop(w, e, r)


@shared
def write_output(w: Any, e: int, s: int, j: int, t: float) -> None:
    """Job j has finished at site s and writes its output there."""
    size = w.tracks[e, j]["output"]
    if w.rules[0]["storage"] == 0 or size <= 0.0:
        return
    kept = make_room(w, e, s, size)
    if kept:
        w.pool[e, create(w, e, s, NOBODY, size)]["there"] = 1
    else:
        w.grids[e]["overrun"] += size
    note(w, e, OUTPUT, t, j, s, NOBODY, size if kept else 0.0)


@shared
def begin_storage(w: Any, e: int) -> None:
    """Only the primary replicas are there."""
    grid = w.grids[e]
    grid["unused"] = -1
    grid["replicas"] = 0
    if w.rules[0]["storage"] == 0:
        return
    for s in range(len(w.places)):
        store = w.stores[e, s]
        store["used"] = store["pinned"] = 0.0
        store["oldest"] = store["newest"] = -1
    for d in range(grid["datasets"]):
        w.datasets[e, d]["first"] = w.datasets[e, d]["row"] = -1
        w.holders[e, d, :, :] = NO_SITE
        for k in range(3):
            if w.datasets[e, d]["primary"][k] >= 0:
                put_in(w, e, d, HELD, w.datasets[e, d]["primary"][k])
    begin_rows(w, e)
