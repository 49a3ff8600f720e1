"""Transitive closure of a workflow's graph as bit sets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from panda_gym.jit.compiled import inline
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray


@njit(nogil=True, error_model="numpy", cache=True)
def _descendants(first: Any, child: Any, order: Any, bits: Any) -> None:
    for k in range(len(order) - 1, -1, -1):
        v = order[k]
        for i in range(first[v], first[v + 1]):
            w = child[i]
            bits[v, w >> 6] |= np.uint64(1) << np.uint64(w & 63)
            for j in range(bits.shape[1]):
                bits[v, j] |= bits[w, j]


def descendants(flow: Workflow) -> Array:
    """Return the descendants of every set, uint64[n, ceil(n / 64)]: bit w of row v."""
    bits = np.zeros((len(flow), (len(flow) + 63) // 64), dtype=np.uint64)
    _descendants(flow.children.first, flow.children.node, flow.order, bits)
    return bits


@inline
def has(bits: Any, row: int, column: int) -> bool:
    """Return whether bit `column` of row `row` is set."""
    return (bits[row, column >> 6] >> np.uint64(column & 63)) & np.uint64(1) != 0


@njit(nogil=True, error_model="numpy", cache=True)
def _symmetric(after: Any, ordered: Any) -> None:
    for v in range(after.shape[0]):
        for w in range(after.shape[0]):
            if has(after, v, w):
                ordered[v, w >> 6] |= np.uint64(1) << np.uint64(w & 63)
                ordered[w, v >> 6] |= np.uint64(1) << np.uint64(v & 63)


def comparable(after: Array) -> Array:
    """Return which sets are ordered, uint64[n, ceil(n / 64)]: one of v, w follows the other."""
    ordered = np.zeros_like(after)
    _symmetric(after, ordered)
    return ordered
