"""Binary heaps of (time, job) for kernels, in a part of an array of records.

Entries of equal time leave by the number of their job, so the order of events is always the same.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline

ENTRY: Final = np.dtype([("time", "f8"), ("job", "i8")], align=True)
"""One entry of a heap: a time and the number of a job or event."""


@inline
def before(time: float, job: int, other: Any) -> bool:
    """Return whether (time, job) leaves the heap before entry `other`."""
    return time < other["time"] or (time == other["time"] and job < other["job"])


@inline
def put(entry: Any, time: float, job: int) -> None:
    """Write an entry."""
    entry["time"] = time
    entry["job"] = job


@inline
def push(heap: Any, first: int, size: int, time: float, job: int) -> None:
    """Push an entry on the heap of `size` entries that begins at position `first` of the array."""
    hole = size
    while hole > 0:
        above = heap[first + ((hole - 1) >> 1)]
        if not before(time, job, above):
            break
        put(heap[first + hole], above["time"], above["job"])
        hole = (hole - 1) >> 1
    put(heap[first + hole], time, job)


@inline
def pop(heap: Any, first: int, size: int) -> int:
    """Pop the first entry of the heap of `size` entries at position `first`; return its job."""
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


@inline
def remove_at(heap: Any, first: int, size: int, place: int) -> None:
    """Remove entry `place` of the heap of `size` entries that begins at position `first`."""
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
