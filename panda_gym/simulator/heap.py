"""Binary heaps of (time, job) in two parallel arrays; knows order, not what is ordered.

Ties are broken by the job's number, so that the order of events is fixed by construction.
"""

from __future__ import annotations

from typing import Any

from panda_gym.simulator.compiled import inner


@inner
def before(key_a: float, job_a: int, key_b: float, job_b: int) -> bool:
    """Whether entry a leaves the heap before entry b."""
    return key_a < key_b or (key_a == key_b and job_a < job_b)


@inner
def push(keys: Any, jobs: Any, first: int, size: int, key: float, job: int) -> None:
    """Add an entry to the heap that holds `size` entries from position `first` on."""
    hole = size
    while hole > 0:
        above = (hole - 1) >> 1
        if not before(key, job, keys[first + above], jobs[first + above]):
            break
        keys[first + hole] = keys[first + above]
        jobs[first + hole] = jobs[first + above]
        hole = above
    keys[first + hole] = key
    jobs[first + hole] = job


@inner
def pop(keys: Any, jobs: Any, first: int, size: int) -> int:
    """Take the first entry out of the heap of `size` entries; return its job."""
    taken = jobs[first]
    last = size - 1
    key, job = keys[first + last], jobs[first + last]
    hole, below = 0, 1
    while below < last:
        other = below + 1
        if other < last and before(
            keys[first + other], jobs[first + other], keys[first + below], jobs[first + below]
        ):
            below = other
        if not before(keys[first + below], jobs[first + below], key, job):
            break
        keys[first + hole] = keys[first + below]
        jobs[first + hole] = jobs[first + below]
        hole, below = below, 2 * below + 1
    keys[first + hole] = key
    jobs[first + hole] = job
    return taken
