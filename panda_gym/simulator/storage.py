"""Storage of the sites: replicas, outputs, quotas and eviction.

Primary replicas are permanent. The input of a job at a site without a replica is staged into a
secondary replica, which stays; outputs are written where the job ran. Both count against the
site's quota. Where space is needed, unused replicas are evicted, least recently used first. If
that is not enough, nothing is evicted: the input is read without being kept (or the output is
shipped at once), and its bytes count as an overrun. Sizes are whole bytes, so that sums are exact
in any order.

A dataset on its way to a site has one transfer, begun by its carrier (a job or a replication). A
job that needs it there meanwhile joins the transfer and moves no bytes. The transfer goes on as
long as any of them waits for it, even without its carrier. An input that is not kept has a
record of 0 bytes while it is on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from panda_gym.jit.compiled import inline, no_inline
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
    add_to_set,
    begin_rows,
    in_set,
    remove_from_set,
)


@dataclass(frozen=True)
class Storage:
    """Quotas of secondary replicas and outputs."""

    gb_per_core: float = 10.0
    """Quota of a site for secondary replicas and outputs, GB per core."""
    output: float = 0.1
    """Bytes of output per byte of input."""

    def __post_init__(self) -> None:
        check_ranges(self, "storage", {"gb_per_core": (0.0, 1e9), "output": (0.0, 100.0)})


@inline
def known(w: Any, e: int, d: int) -> bool:
    """Whether any site has a primary replica of dataset d; else it is local everywhere."""
    primary = w.datasets[e, d]["primary"]
    return primary[0] >= 0 or primary[1] >= 0 or primary[2] >= 0


@inline
def find(w: Any, e: int, d: int, s: int) -> int:
    """The secondary replica of dataset d at site s, complete or begun; -1 none."""
    if not in_set(w, e, d, KEPT, s):
        return -1
    r = w.datasets[e, d]["first"]
    while w.pool[e, r]["site"] != s:
        r = w.pool[e, r]["next"]
    return r


@inline
def unlink(w: Any, e: int, r: int) -> None:
    """Remove a replica from the order of use at its site."""
    one = w.pool[e, r]
    storage = w.site_storage[e, one["site"]]
    if one["older"] >= 0:
        w.pool[e, one["older"]]["newer"] = one["newer"]
    else:
        storage["oldest"] = one["newer"]
    if one["newer"] >= 0:
        w.pool[e, one["newer"]]["older"] = one["older"]
    else:
        storage["newest"] = one["older"]


@inline
def append(w: Any, e: int, r: int) -> None:
    """Make a replica the most recently used of its site."""
    one = w.pool[e, r]
    storage = w.site_storage[e, one["site"]]
    one["newer"] = -1
    one["older"] = storage["newest"]
    if storage["newest"] >= 0:
        w.pool[e, storage["newest"]]["newer"] = r
    else:
        storage["oldest"] = r
    storage["newest"] = r


@inline
def begin_transfer(w: Any, e: int, r: int, j: int) -> None:
    """Make row j the carrier of replica r."""
    transfer = w.transfers[e, r]
    transfer["carrier"] = j
    transfer["first"] = transfer["last"] = -1


@inline
def join(w: Any, e: int, r: int, j: int) -> None:
    """Append job j to the jobs that joined the transfer of replica r."""
    transfer = w.transfers[e, r]
    w.job_states[e, j]["next"] = -1
    if transfer["first"] < 0:
        transfer["first"] = j
    else:
        w.job_states[e, transfer["last"]]["next"] = j
    transfer["last"] = j


@inline
def carrier_to(w: Any, e: int, d: int, s: int) -> int:
    """The row whose transfer brings dataset d to site s; -1: none is on its way."""
    if not in_set(w, e, d, KEPT, s) or in_set(w, e, d, HELD, s):
        return -1
    return w.transfers[e, find(w, e, d, s)]["carrier"]


@inline
def carried_replica(w: Any, e: int, c: int) -> int:
    """The replica on its way by the transfer of row c, which may have left; -1: none."""
    if w.rules[0]["storage"] == 0:
        return -1
    r = w.job_states[e, c]["replica"]
    return r if r >= 0 and w.transfers[e, r]["carrier"] == c else -1


@inline
def first_joined(w: Any, e: int, c: int) -> int:
    """The first job that joined the transfer of row c; JOB_STATE's `next` leads on; -1: none."""
    r = carried_replica(w, e, c)
    return w.transfers[e, r]["first"] if r >= 0 else -1


@no_inline
def create(w: Any, e: int, s: int, d: int, size: float) -> int:
    """Create a replica of dataset d (-1: an output) at site s; it is not complete yet."""
    grid = w.grids[e]
    r = grid["free_replica"]
    if r >= 0:
        grid["free_replica"] = w.pool[e, r]["next"]
    else:
        r = grid["replicas"]
        grid["replicas"] = r + 1
    one = w.pool[e, r]
    one["bytes"] = size
    one["site"] = s
    one["dataset"] = d
    one["pins"] = 0
    one["complete"] = 0
    one["next"] = -1
    if d >= 0:
        one["next"] = w.datasets[e, d]["first"]
        w.datasets[e, d]["first"] = r
        add_to_set(w, e, d, KEPT, s)
    append(w, e, r)
    w.site_storage[e, s]["used"] += size
    return r


@no_inline
def drop(w: Any, e: int, r: int) -> None:
    """Delete an unused replica, or the record of an input that is not kept."""
    grid, one = w.grids[e], w.pool[e, r]
    d, s = one["dataset"], one["site"]
    unlink(w, e, r)
    w.site_storage[e, s]["used"] -= one["bytes"]
    if d >= 0:
        remove_from_set(w, e, d, KEPT, s)
        remove_from_set(w, e, d, HELD, s)
        dataset = w.datasets[e, d]
        if dataset["first"] == r:
            dataset["first"] = one["next"]
        else:
            other = dataset["first"]
            while w.pool[e, other]["next"] != r:
                other = w.pool[e, other]["next"]
            w.pool[e, other]["next"] = one["next"]
    if one["bytes"] > 0.0:
        note(w, e, REPLICA_GONE, grid["clock"], NOBODY, s, d, one["bytes"])
    if one["complete"] == 0:
        w.transfers[e, r]["carrier"] = -1
    one["next"] = grid["free_replica"]
    grid["free_replica"] = r


@no_inline
def make_room(w: Any, e: int, s: int, size: float) -> bool:
    """Evict until `size` bytes of the quota of site s are free; return whether that is possible."""
    storage = w.site_storage[e, s]
    if storage["pinned"] + size > storage["quota"]:
        return False
    r = storage["oldest"]
    while storage["used"] + size > storage["quota"]:
        newer = w.pool[e, r]["newer"]
        if w.pool[e, r]["pins"] == 0:
            drop(w, e, r)
        r = newer
    return True


@inline
def pin(w: Any, e: int, r: int) -> None:
    """Pin a replica for one more job, as the most recently used."""
    one = w.pool[e, r]
    if one["pins"] == 0:
        w.site_storage[e, one["site"]]["pinned"] += one["bytes"]
    one["pins"] += 1
    if w.site_storage[e, one["site"]]["newest"] != r:
        unlink(w, e, r)
        append(w, e, r)


@no_inline
def claim(w: Any, e: int, s: int, j: int) -> None:
    """Pin the replica of job j's input at site s, or begin one, or join one on its way.

    Where there is no room, the overrun is counted and the input is not kept.
    """
    d, job_state = w.jobs[e, j]["dataset"], w.job_states[e, j]
    job_state["replica"] = -1
    if w.rules[0]["storage"] == 0 or not w.jobs[e, j]["input_bytes"] > 0.0 or not known(w, e, d):
        return
    r = find(w, e, d, s)
    if r < 0 and not in_set(w, e, d, HELD, s):
        size = w.datasets[e, d]["bytes"]
        if make_room(w, e, s, size):
            r = create(w, e, s, d, size)
            note(w, e, REPLICA_BEGUN, w.grids[e]["clock"], NOBODY, s, d, size)
        else:
            r = create(w, e, s, d, 0.0)
            w.grids[e]["overrun"] += size
        begin_transfer(w, e, r, j)
    elif r >= 0 and w.pool[e, r]["complete"] == 0:
        join(w, e, r, j)
    if r >= 0:
        pin(w, e, r)
    job_state["replica"] = r


@inline
def release(w: Any, e: int, j: int) -> None:
    """Unpin the replica of job j; delete it if its transfer never completed."""
    r = w.job_states[e, j]["replica"]
    if w.rules[0]["storage"] == 0 or r < 0:
        return
    one = w.pool[e, r]
    one["pins"] -= 1
    if one["pins"] == 0:
        w.site_storage[e, one["site"]]["pinned"] -= one["bytes"]
        if one["complete"] == 0:
            drop(w, e, r)


@no_inline
def complete_replica(w: Any, e: int, j: int, t: float) -> None:
    """Mark the replica that job j pins as complete: it can be read from now on.

    Of an input that is not kept, the job lets go; the last that waited for it deletes the record.
    """
    r = w.job_states[e, j]["replica"]
    if r < 0 or w.pool[e, r]["complete"] > 0:
        return
    one = w.pool[e, r]
    if not one["bytes"] > 0.0:
        release(w, e, j)
        w.job_states[e, j]["replica"] = -1
        return
    one["complete"] = 1
    w.transfers[e, r]["carrier"] = -1
    add_to_set(w, e, one["dataset"], HELD, one["site"])
    note(w, e, REPLICA_THERE, t, NOBODY, one["site"], one["dataset"], one["bytes"])


@inline
def complete(w: Any, e: int, j: int, t: float) -> None:
    """Mark the input of job j as complete, where it is kept."""
    if w.rules[0]["storage"] > 0:
        complete_replica(w, e, j, t)


@no_inline
def write_output(w: Any, e: int, s: int, j: int, t: float) -> None:
    """Write the output of the finished job j at site s."""
    size = w.job_states[e, j]["output"]
    if w.rules[0]["storage"] == 0 or size <= 0.0:
        return
    kept = make_room(w, e, s, size)
    if kept:
        w.pool[e, create(w, e, s, NOBODY, size)]["complete"] = 1
    else:
        w.grids[e]["overrun"] += size
    note(w, e, OUTPUT, t, j, s, NOBODY, size if kept else 0.0)


@no_inline
def begin_storage(w: Any, e: int) -> None:
    """Reset to the primary replicas."""
    grid = w.grids[e]
    grid["free_replica"] = -1
    grid["replicas"] = 0
    if w.rules[0]["storage"] == 0:
        return
    for s in range(len(w.site_static)):
        storage = w.site_storage[e, s]
        storage["used"] = storage["pinned"] = 0.0
        storage["oldest"] = storage["newest"] = -1
    for r in range(w.transfers.shape[1]):
        w.transfers[e, r]["carrier"] = -1
    for d in range(grid["datasets"]):
        w.datasets[e, d]["first"] = w.datasets[e, d]["row"] = -1
        w.holders[e, d, :, :] = NO_SITE
        for k in range(3):
            if w.datasets[e, d]["primary"][k] >= 0:
                add_to_set(w, e, d, HELD, w.datasets[e, d]["primary"][k])
    begin_rows(w, e)
