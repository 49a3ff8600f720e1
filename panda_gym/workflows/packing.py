"""Exact packing of task sets on nodes: whether all tasks of some sets can run at once.

A task runs on one node, so that sets may fit in the total capacity and still not on the nodes
(three tasks of 3, 3 and 2 threads on two nodes of 4). The search fills the nodes set by set, the
largest first, and backtracks; its first try is first-fit decreasing.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.jit.compiled import inline

Array = np.ndarray

UNKNOWN, NO, YES = -1, 0, 1  # answers of `packs`
STEPS: Final = 20_000
"""Fillings after which `packs` stops and returns UNKNOWN."""


class Packing(NamedTuple):
    """Scratch arrays of a packing of up to k sets on M nodes."""

    sets: Array  # int64[k]: sets in the order in which they are packed
    free: Array  # int64[k + 1, M, 3]: free capacity before each of them
    limit: Array  # int64[k, M]: tasks of each that fit on a node
    fill: Array  # int64[k, M]: tasks of each on a node
    spent: Array  # int64[1]: fillings so far


def make_packing(sets: int, nodes: int, batch: tuple[int, ...] = ()) -> Packing:
    """Return scratch arrays for up to `sets` sets on `nodes` nodes."""
    return Packing(
        np.zeros((*batch, sets), np.int64),
        np.zeros((*batch, sets + 1, nodes, 3), np.int64),
        np.zeros((*batch, sets, nodes), np.int64),
        np.zeros((*batch, sets, nodes), np.int64),
        np.zeros((*batch, 1), np.int64),
    )


@inline
def packs(f: Any, n: int, need: Any, count: Any, steps: int) -> int:
    """Return whether all tasks of the sets f.sets[:n] fit on the nodes f.free[0] at once.

    Shape: need int64[S, 3] of a task, count int64[S] tasks. YES, NO, or UNKNOWN after `steps`
    fillings; f.spent counts them.
    """
    i, found = 0, True
    while i >= 0:
        if i == n:
            return YES
        s = f.sets[i]
        found = first_fill(f, i, need[s], count[s]) if found else next_fill(f, i)
        steps -= 1
        f.spent[0] += 1
        if steps < 0:
            return UNKNOWN
        if not found:
            i -= 1
            continue
        for m in range(f.fill.shape[1]):
            for r in range(3):
                f.free[i + 1, m, r] = f.free[i, m, r] - f.fill[i, m] * need[s, r]
        i += 1
    return NO


@inline
def first_fill(f: Any, i: int, need: Any, count: int) -> bool:
    """Fill the nodes from the left with the tasks of the i-th set; False if they do not fit."""
    for m in range(f.fill.shape[1]):
        limit = count
        for r in range(3):
            if need[r] > 0:
                limit = min(limit, f.free[i, m, r] // need[r])
        f.limit[i, m] = max(limit, 0)
    return refill(f, i, 0, count)


@inline
def next_fill(f: Any, i: int) -> bool:
    """Move one task of the i-th set to the right of its node; False after the last filling."""
    right = 0
    for m in range(f.fill.shape[1] - 1, -1, -1):
        if f.fill[i, m] > 0:
            f.fill[i, m] -= 1
            if refill(f, i, m + 1, right + 1):
                return True
            f.fill[i, m] += 1
        right += f.fill[i, m]
    return False


@inline
def refill(f: Any, i: int, first: int, count: int) -> bool:
    """Put tasks on nodes from `first` on, the left ones full; False if they do not fit.

    A node never takes more tasks than an equal one on its left, since that would only exchange
    the two.
    """
    for m in range(first, f.fill.shape[1]):
        limit = f.limit[i, m]
        if m > 0 and equal_nodes(f, i, m):
            limit = min(limit, f.fill[i, m - 1])
        f.fill[i, m] = min(limit, count)
        count -= f.fill[i, m]
    return count == 0


@inline
def equal_nodes(f: Any, i: int, m: int) -> bool:
    """Return whether node m and the one on its left have equal free capacity."""
    equal = True
    for r in range(3):
        equal = equal and f.free[i, m, r] == f.free[i, m - 1, r]
    return equal
