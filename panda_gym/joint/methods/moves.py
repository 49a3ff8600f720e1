"""Compiled parts of schedules: releases, ends of nodes, and changes of a state.

`p` is a `Problem`, `s` a `State`. A node's end follows from its jobs in the order of release.
"""

from __future__ import annotations

from typing import Any

from panda_gym.jit.compiled import inline, no_inline


@no_inline
def release_and_hold(p: Any, s: Any, job: int, node: int) -> tuple[float, float]:
    """Return the release of a job on a node, and how long it holds the node after that."""
    last, longest = 0.0, 0.0
    for k in range(p.first[job], p.first[job + 1]):
        data = p.inputs[k]
        store = s.store[data]
        transfer = p.size[data] * p.local[node, store]
        longest = max(longest, transfer)
        last = max(last, p.size[data] * p.remote[p.source[data], store] + transfer)
    return last - longest, longest + p.work[job] * p.slowness[node]


@inline
def end_without(s: Any, node: int, job: int) -> float:
    """Return the end of a node without one of its jobs; job -1: with all."""
    end = 0.0
    for k in range(s.filled[node]):
        one = s.queue[node, k]
        if one != job:
            end = max(end, s.release[one]) + s.hold[one]
    return end


@no_inline
def end_with(s: Any, node: int, without: int, release: float, hold: float) -> float:
    """Return the end of a node without one of its jobs and with another; -1: without none."""
    end, placed = 0.0, False
    for k in range(s.filled[node]):
        one = s.queue[node, k]
        if not placed and s.release[one] > release:
            end, placed = max(end, release) + hold, True
        if one != without:
            end = max(end, s.release[one]) + s.hold[one]
    return end if placed else max(end, release) + hold


@no_inline
def take(s: Any, job: int) -> None:
    """Take a job from its node."""
    node, k = s.node[job], 0
    while s.queue[node, k] != job:
        k += 1
    s.filled[node] -= 1
    for at in range(k, s.filled[node]):
        s.queue[node, at] = s.queue[node, at + 1]
    s.node[job] = -1


@no_inline
def put(s: Any, job: int, node: int, release: float, hold: float) -> None:
    """Put a job without a node on a node, behind those that are released no later."""
    s.node[job], s.release[job], s.hold[job] = node, release, hold
    k = s.filled[node]
    while k > 0 and s.release[s.queue[node, k - 1]] > release:
        s.queue[node, k] = s.queue[node, k - 1]
        k -= 1
    s.queue[node, k] = job
    s.filled[node] += 1


@inline
def set_end(s: Any, node: int, end: float, target: float) -> None:
    """Note the end of a node, and whether it is late."""
    s.end[node] = end
    at = s.late_at[node]
    if end > target and at < 0:
        s.late_at[node] = s.lates[0]
        s.late[s.lates[0]] = node
        s.lates[0] += 1
    elif end <= target and at >= 0:
        s.lates[0] -= 1
        other = s.late[s.lates[0]]
        s.late[at], s.late_at[other] = other, at
        s.late_at[node] = -1


@no_inline
def set_store(p: Any, s: Any, data: int, store: int) -> None:
    """Move a dataset to a store, and its readers in the queues of their nodes."""
    s.room[s.store[data]] += p.size[data]
    s.room[store] -= p.size[data]
    s.store[data] = store
    for k in range(p.reader_first[data], p.reader_first[data + 1]):
        job = p.readers[k]
        node = s.node[job]
        release, hold = release_and_hold(p, s, job, node)
        take(s, job)
        put(s, job, node, release, hold)
