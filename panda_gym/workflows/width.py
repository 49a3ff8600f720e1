"""Width of a graph (its largest antichain) by one maximum flow.

By Dilworth's theorem, width = n - (maximum matching of the transitive closure). The closure of
100,000 tasks would have 10^10 pairs, so it is not built: a matching that may pass through nodes
(Ntafos and Hakimi 1979) is a flow on the graph itself, source -> v_out (1), u_out -> v_in (any)
along edges, v_in -> v_out (any), v_in -> sink (1). The flow is scipy's Dinic algorithm; the
antichain follows from the minimum cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

EXACT_ARCS: Final = 8_000_000
"""Up to so many arcs (edges + 3 x sets) the width is exact; above, `width` returns bounds."""


@dataclass(frozen=True, eq=False)
class Width:
    """Largest antichain of a graph, or bounds of its size."""

    value: int
    """Size of `antichain`: the width if exact, else a lower bound."""
    upper: int
    """Upper bound of the width; equals `value` if exact."""
    antichain: Array
    """int32[value]: sets that are pairwise independent."""

    @property
    def exact(self) -> bool:
        """Whether `value` is the width."""
        return self.value == self.upper


def width(flow: Workflow, exact_arcs: int = EXACT_ARCS) -> Width:
    """Return the largest antichain of the graph of task sets.

    It is exact up to `exact_arcs` arcs. Above, the lower bound is the fullest level (every level
    is an antichain) and the upper bound the number of paths of a greedy path cover.
    """
    level = _fullest_level(flow)
    paths = _greedy_paths(flow)
    if len(level) == paths or len(flow.edges) + 3 * len(flow) > exact_arcs:
        return Width(len(level), max(paths, len(level)), level)
    return _by_flow(flow)


def _fullest_level(flow: Workflow) -> Array:
    fullest = int(np.argmax(np.bincount(flow.level)))
    return np.flatnonzero(flow.level == fullest).astype(np.int32)


def _greedy_paths(flow: Workflow) -> int:
    """Return the size of a greedy path cover: a node takes its first child, once per child."""
    edges = flow.edges
    _, once = np.unique(edges[:, 0], return_index=True)
    return len(flow) - len(np.unique(edges[once, 1]))


def _by_flow(flow: Workflow) -> Width:
    nodes = len(flow)
    source, sink = 2 * nodes, 2 * nodes + 1
    node = np.arange(nodes, dtype=np.int32)
    start = np.concatenate(
        [np.full(nodes, source, dtype=np.int32), flow.edges[:, 0], node + nodes, node + nodes]
    )
    end = np.concatenate(
        [node, flow.edges[:, 1] + nodes, node, np.full(nodes, sink, dtype=np.int32)]
    )
    any_ = np.full(len(flow.edges) + nodes, nodes, dtype=np.int32)
    one = np.ones(nodes, dtype=np.int32)
    network = csr_array(
        (np.concatenate([one, any_, one]), (start, end)), shape=(2 * nodes + 2, 2 * nodes + 2)
    )
    found = maximum_flow(network, source, sink, method="dinic")
    residual = (network - found.flow).tocsr()
    residual.eliminate_zeros()
    reached = np.zeros(2 * nodes + 2, dtype=bool)
    reached[breadth_first_order(residual, source, return_predecessors=False)] = True
    antichain = np.flatnonzero(reached[:nodes] & ~reached[nodes : 2 * nodes]).astype(np.int32)
    size = nodes - int(found.flow_value)
    return Width(size, size, antichain)
