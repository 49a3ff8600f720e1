"""Directed graphs as arrays: topological order, levels, longest paths, cycles, upward ranks.

Nodes are 0..n-1, edges int32[m, 2] of (parent, child). All functions are iterative, so that a
chain of a million nodes does not exhaust the stack.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

Array = np.ndarray


class Adjacency(NamedTuple):
    """Neighbours of every node in compressed rows."""

    first: Array
    """int32[n + 1]: the neighbours of v are entries first[v] to first[v + 1] - 1."""
    node: Array
    """int32[m]: the neighbour, ascending within a row."""
    edge: Array
    """int32[m]: the edge to the neighbour."""


def adjacency(nodes: int, source: Array, target: Array) -> Adjacency:
    """Return compressed rows of the edges source[m] -> target[m]."""
    order = np.lexsort((target, source)).astype(np.int32)
    first = np.zeros(nodes + 1, dtype=np.int32)
    np.cumsum(np.bincount(source, minlength=nodes), out=first[1:])
    return Adjacency(first, target[order].astype(np.int32), order)


@njit(nogil=True, error_model="numpy", cache=True)
def _kahn(first: Any, child: Any, pending: Any) -> Any:
    order = np.empty(len(pending), np.int32)
    done = 0
    for v in range(len(pending)):
        if pending[v] == 0:
            order[done] = v
            done += 1
    cursor = 0
    while cursor < done:
        v = order[cursor]
        cursor += 1
        for i in range(first[v], first[v + 1]):
            w = child[i]
            pending[w] -= 1
            if pending[w] == 0:
                order[done] = w
                done += 1
    return order[:done]


def topological_order(children: Adjacency) -> Array:
    """Order nodes so that parents precede children (Kahn 1962).

    The result is shorter than n if there is a cycle.
    """
    pending = np.bincount(children.node, minlength=len(children.first) - 1).astype(np.int32)
    return _kahn(children.first, children.node, pending)


def cycle(children: Adjacency, order: Array) -> list[int]:
    """Return one cycle, in the edges' direction, of a graph with an incomplete order."""
    nodes = len(children.first) - 1
    stuck = np.ones(nodes, dtype=bool)
    stuck[order] = False
    parent = np.repeat(np.arange(nodes), np.diff(children.first))
    inner = stuck[parent] & stuck[children.node]
    # Every stuck node has a stuck parent, so that walking backwards closes a cycle.
    back = dict(zip(children.node[inner].tolist(), parent[inner].tolist(), strict=True))
    v = next(iter(back))
    seen: dict[int, int] = {}
    path: list[int] = []
    while v not in seen:
        seen[v] = len(path)
        path.append(v)
        v = back[v]
    return path[seen[v] :][::-1]


@njit(nogil=True, error_model="numpy", cache=True)
def _longest_from_roots(first: Any, child: Any, order: Any, weight: Any) -> Any:
    longest = np.zeros(len(weight))
    for v in order:
        longest[v] += weight[v]
        for i in range(first[v], first[v + 1]):
            longest[child[i]] = max(longest[child[i]], longest[v])
    return longest


def longest_from_roots(children: Adjacency, order: Array, weight: Array) -> Array:
    """Return the weight of the heaviest path that ends with each node, its own included."""
    return _longest_from_roots(children.first, children.node, order, weight.astype(np.float64))


def levels(children: Adjacency, order: Array) -> Array:
    """Return the depth of every node, int32[n]: edges of the longest path from a root."""
    ones = np.ones(len(children.first) - 1)
    return (longest_from_roots(children, order, ones) - 1).astype(np.int32)


@njit(nogil=True, error_model="numpy", cache=True)
def _upward_rank(first: Any, child: Any, edge: Any, order: Any, weight: Any, cost: Any) -> Any:
    rank = np.zeros(len(weight))
    for k in range(len(order) - 1, -1, -1):
        v = order[k]
        best = 0.0
        for i in range(first[v], first[v + 1]):
            best = max(best, cost[edge[i]] + rank[child[i]])
        rank[v] = weight[v] + best
    return rank


def upward_rank(children: Adjacency, order: Array, weight: Array, cost: Array) -> Array:
    """Return the upward rank (Topcuoglu et al. 2002): weight plus the heaviest path to an exit.

    Shape: weight float64[n], cost float64[m] of the edges; returns float64[n].
    """
    return _upward_rank(*children, order, weight.astype(np.float64), cost.astype(np.float64))
