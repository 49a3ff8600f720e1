"""Binary heaps of (time, job); knows order, not what is ordered.

Ties are broken by the job's number, so that the order of events is fixed by construction.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inner

ENTRY: Final = np.dtype([("time", "f8"), ("job", "i8")], align=True)
"""One entry of a heap: a time and the number of a job or event."""


@inner
def before(time: float, job: int, other: Any) -> bool:
    """Whether (time, job) leaves the heap before entry `other`."""
    return time < other["time"] or (time == other["time"] and job < other["job"])


@inner
def put(entry: Any, time: float, job: int) -> None:
    """Write an entry."""
    entry["time"] = time
    entry["job"] = job


@inner
def push(heap: Any, first: int, size: int, time: float, job: int) -> None:
    """Add an entry to the heap that holds `size` entries from position `first` on."""
    hole = size
    while hole > 0:
        above = heap[first + ((hole - 1) >> 1)]
        if not before(time, job, above):
            break
        put(heap[first + hole], above["time"], above["job"])
        hole = (hole - 1) >> 1
    put(heap[first + hole], time, job)


@inner
def pop(heap: Any, first: int, size: int) -> int:
    """Take the first entry out of the heap of `size` entries; return its job."""
    taken = heap[first]["job"]
    last = size - 1
    time, job = heap[first + last]["time"], heap[first + last]["job"]
    hole, below = 0, 1
    while below < last:
        if below + 1 < last:
            other = heap[first + below + 1]
            if before(other["time"], other["job"], heap[first + below]):
                below += 1
        child = heap[first + below]
        if before(time, job, child):
            break
        put(heap[first + hole], child["time"], child["job"])
        hole, below = below, 2 * below + 1
    put(heap[first + hole], time, job)
    return taken


@inner
def take_out(heap: Any, first: int, size: int, place: int) -> None:
    """Remove the entry at `place` from the heap of `size` entries."""
    last = size - 1
    if place == last:
        return
    time, job = heap[first + last]["time"], heap[first + last]["job"]
    hole = place
    while hole > 0 and before(time, job, heap[first + ((hole - 1) >> 1)]):
        above = heap[first + ((hole - 1) >> 1)]
        put(heap[first + hole], above["time"], above["job"])
        hole = (hole - 1) >> 1
    below = 2 * hole + 1
    while below < last:
        if below + 1 < last:
            other = heap[first + below + 1]
            if before(other["time"], other["job"], heap[first + below]):
                below += 1
        child = heap[first + below]
        if before(time, job, child):
            break
        put(heap[first + hole], child["time"], child["job"])
        hole, below = below, 2 * below + 1
    put(heap[first + hole], time, job)
