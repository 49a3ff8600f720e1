"""Degrees of asynchronicity: how many kinds of work a workflow and a pool let run at once.

The definitions are a reconstruction of those of arXiv 2208.11069 from first principles, not its
wording:

    DOA_dep = width of the graph of task sets - 1
    DOA_res = most distinct kinds in an antichain whose tasks fit on the nodes at once, - 1
    WLA     = min(DOA_dep, DOA_res)

A task runs on one node, so that the fragmentation of the nodes counts. The residual degrees at a
time t are the same for the unfinished sets and the free capacity; only tasks that have not started
must fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.jit.compiled import inline
from panda_gym.workflows import closure, packing
from panda_gym.workflows.compiled import entry
from panda_gym.workflows.packing import NO, UNKNOWN, YES, Packing, make_packing, packs
from panda_gym.workflows.pool import UNBOUNDED, Pool, needs
from panda_gym.workflows.width import width
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

SEARCH_SETS: Final = 2048
"""Up to so many sets DOA_res is searched among all antichains. Above, it is a lower bound from
the levels and the widest antichain."""

SEARCH_STEPS: Final = 500_000
"""Choices and fillings after which the search returns the best found, a lower bound."""

SEARCH_NODES: Final = 20_000_000
"""Fillings times nodes after which the search returns the best found too."""


@dataclass(frozen=True)
class Degrees:
    """Degrees of asynchronicity of a workflow on a pool."""

    doa_dep: int
    """Degree that the dependencies permit."""
    doa_res: int
    """Degree that the resources permit."""
    exact_dep: bool
    """Whether doa_dep is exact; else it is a lower bound."""
    exact_res: bool
    """Whether doa_res is exact; else it is a lower bound."""

    @property
    def wla(self) -> int:
        """Workload-level asynchronicity: the smaller of both."""
        return min(self.doa_dep, self.doa_res)


def degrees(flow: Workflow, pool: Pool) -> Degrees:
    """Return the degrees of asynchronicity of a whole workflow on an empty pool."""
    free = np.tile(pool.node_capacity, (pool.nodes, 1))
    return residual_degrees(flow, pool, flow.tasks, flow.tasks, free)


def residual_degrees(
    flow: Workflow, pool: Pool, unstarted: Array, unfinished: Array, free: Array
) -> Degrees:
    """Return the degrees of the unfinished part of a workflow at one time.

    Shape: unstarted, unfinished int[n] tasks of every set; free int64[M, 3] of every node as
    `Pool.node_capacity`. Both degrees are 0 at the end, when every set has ended.
    """
    left = np.flatnonzero(np.asarray(unfinished) > 0)
    if len(left) == 0:
        return Degrees(0, 0, True, True)
    rest = flow if len(left) == len(flow) else subgraph(flow, left)
    need = needs(rest, pool.threads_per_core)
    count = np.asarray(unstarted, dtype=np.int64)[left]
    widest = width(rest)
    kinds, exact = most_kinds(rest, need, count, np.asarray(free), widest.antichain)
    return Degrees(widest.value - 1, max(kinds - 1, 0), widest.exact, exact)


def subgraph(flow: Workflow, keep: Array) -> Workflow:
    """Return the workflow of the sets `keep` (ascending positions) and the edges among them."""
    place = np.full(len(flow), -1)
    place[keep] = np.arange(len(keep))
    inside = (place[flow.edges] >= 0).all(axis=1)
    columns = {
        field: getattr(flow, field)[keep]
        for field in (
            "kind", "tasks", "cores", "threads", "gpus", "memory_gb", "mean_s", "sd_s",
            "distribution", "input_bytes", "output_bytes",
        )
    }  # fmt: skip
    return Workflow(
        name=flow.name,
        ids=tuple(flow.ids[i] for i in keep),
        kind_names=flow.kind_names,
        edges=place[flow.edges[inside]],
        each=flow.each[inside],
        edge_bytes=flow.edge_bytes[inside],
        **columns,
    )


def most_kinds(
    flow: Workflow, need: Array, count: Array, free: Array, antichain: Array
) -> tuple[int, bool]:
    """Return the most kinds of an antichain whose tasks fit at once, and whether it is exact.

    Shape: need int64[n, 3] of a task, count int64[n] tasks, free int64[M, 3] of every node,
    antichain int32[k] to begin with.
    """
    alone = _room(need, free) >= count
    upper = _kinds_upper(flow.kind[alone], (need * count[:, None])[alone], free.sum(axis=0))
    lower = _kinds_within(flow, need, count, free, antichain[alone[antichain]])
    if lower < upper:
        lower = max(lower, _kinds_of_levels(flow, need, count, free, alone))
    if lower == upper or len(flow) > SEARCH_SETS:
        return lower, lower == upper
    first, member = members(flow.kind, len(flow.kind_names), alone)
    ordered = closure.comparable(closure.descendants(flow))
    scratch = make_search(len(flow.kind_names), ordered.shape[1], len(free))
    scratch.left[0] = free.sum(axis=0)
    scratch.packing.free[0] = free
    found = _search(
        scratch, first, member, ordered, np.ascontiguousarray(need), count, lower, upper,
        max(min(SEARCH_STEPS, SEARCH_NODES // len(free)), 1), packing.STEPS,
    )  # fmt: skip
    return (found, True) if found >= 0 else (-1 - found, False)


def _room(need: Array, free: Array) -> Array:
    """Return how many tasks of every set fit on the nodes alone, int64[n]."""
    kinds, which = np.unique(need, axis=0, return_inverse=True)
    nodes, many = np.unique(free, axis=0, return_counts=True)
    limit = np.where(kinds[:, None, :] > 0, nodes // np.maximum(kinds[:, None, :], 1), UNBOUNDED)
    return (limit.min(axis=2) * many).sum(axis=1)[which.ravel()]


def members(kind: Array, kinds: int, allowed: Array) -> tuple[Array, Array]:
    """Return the allowed sets by kind in compressed rows: first int32[kinds + 1], member int32."""
    chosen = np.flatnonzero(allowed)
    order = chosen[np.argsort(kind[chosen], kind="stable")].astype(np.int32)
    first = np.zeros(kinds + 1, dtype=np.int32)
    np.cumsum(np.bincount(kind[chosen], minlength=kinds), out=first[1:])
    return first, order


def _kinds_upper(kind: Array, demand: Array, free: Array) -> int:
    """Bound the kinds that fit from above, ignoring the graph: least demands by resource."""
    present = np.unique(kind)
    most = len(present)
    for r in range(demand.shape[1]):
        least = np.sort([demand[kind == k, r].min() for k in present])
        most = min(most, int(np.count_nonzero(np.cumsum(least) <= free[r])))
    return most


def _kinds_within(flow: Workflow, need: Array, count: Array, free: Array, antichain: Array) -> int:
    """Count the kinds of one antichain that first fit packs, the smallest share first."""
    if len(antichain) == 0:
        return 0
    demand = need[antichain] * count[antichain, None]
    share = (demand / np.maximum(free.sum(axis=0), 1)).max(axis=1)
    order = antichain[np.argsort(share, kind="stable")]
    _, once = np.unique(flow.kind[order], return_index=True)
    left, kinds = free.copy(), 0
    for s in order[np.sort(once)]:
        limit = np.where(need[s] > 0, left // np.maximum(need[s], 1), UNBOUNDED).min(axis=1)
        if limit.sum() < count[s]:
            continue
        before = np.cumsum(limit) - limit
        left -= np.clip(count[s] - before, 0, limit)[:, None] * need[s]
        kinds += 1
    return kinds


def _kinds_of_levels(flow: Workflow, need: Array, count: Array, free: Array, alone: Array) -> int:
    order = np.argsort(flow.level, kind="stable")
    cuts = np.flatnonzero(np.diff(flow.level[order])) + 1
    best = 0
    for level in np.split(order, cuts):
        if len(level) > best:
            best = max(best, _kinds_within(flow, need, count, free, level[alone[level]]))
    return best


class Search(NamedTuple):
    """Scratch arrays of a search over k kinds: row d is the state before kind d is decided."""

    choice: Array  # int64[k + 1]: position in `member` that is being tried
    taken: Array  # uint64[k + 1, words]: bits of the sets taken
    left: Array  # int64[k + 1, 3]: capacity left, over all nodes
    kinds: Array  # int64[k + 1]: kinds taken
    chosen: Array  # int64[k + 1]: set taken of a kind; -1: none
    packing: Packing


def make_search(kinds: int, words: int, nodes: int, batch: tuple[int, ...] = ()) -> Search:
    """Return scratch arrays for up to `kinds` kinds, 64 x words sets and `nodes` nodes."""
    return Search(
        np.zeros((*batch, kinds + 1), np.int64),
        np.zeros((*batch, kinds + 1, words), np.uint64),
        np.zeros((*batch, kinds + 1, 3), np.int64),
        np.zeros((*batch, kinds + 1), np.int64),
        np.zeros((*batch, kinds + 1), np.int64),
        make_packing(kinds, nodes, batch),
    )


@entry
def _search(
    scratch: Any, first: Any, member: Any, ordered: Any, need: Any, count: Any, lower: int,
    upper: int, steps: int, pack_steps: int,
) -> int:  # fmt: skip
    return search_kinds(
        scratch, len(first) - 1, first, member, ordered, need, count, lower, upper, steps,
        pack_steps,
    )  # fmt: skip


@inline
def search_kinds(
    f: Any, kinds: int, first: Any, member: Any, ordered: Any, need: Any, count: Any, lower: int,
    upper: int, steps: int, pack_steps: int,
) -> int:  # fmt: skip
    """Return the most kinds of an antichain that fits, by branch and bound over kinds.

    At most one set of a kind is taken, since a second one adds no kind. Shape: first, member as
    of `members`; ordered bits as of `closure.comparable`; need int64[n, 3] of a task, count
    int64[n] tasks, negative for a set that has ended; f.left[0] the capacity of all nodes and
    f.packing.free[0] that of each. The search stops at `upper`. It returns -1 - (the most found)
    after `steps` choices and fillings of nodes, or if a packing takes more than `pack_steps`.
    """
    best, depth, exact = lower, 0, True
    f.choice[0], f.kinds[0] = first[0] - 1, 0
    for j in range(ordered.shape[1]):
        f.taken[0, j] = 0
    while depth >= 0 and best < upper:
        if depth == kinds or f.kinds[depth] + kinds - depth <= best:
            depth -= 1
            continue
        # Next member of this kind; after the last one, leave the kind out; then backtrack.
        f.choice[depth] += 1
        at = f.choice[depth]
        if at > first[depth + 1]:
            depth -= 1
            continue
        steps -= 1
        if steps < 0:
            return -1 - best
        v = member[at] if at < first[depth + 1] else -1
        if v >= 0:
            f.packing.spent[0] = 0
            fits = fits_beside(f, depth, v, ordered, need, count, min(pack_steps, steps))
            steps -= f.packing.spent[0]
            exact = exact and fits != UNKNOWN
            if fits != YES:
                continue
        take(f, depth, v, need, count)
        best = max(best, f.kinds[depth + 1])
        depth += 1
        if depth < kinds:
            f.choice[depth] = first[depth] - 1
    return best if exact or best == upper else -1 - best


@inline
def take(f: Any, depth: int, v: int, need: Any, count: Any) -> None:
    """Write the state after set v of kind `depth` is taken, or none if v is -1."""
    f.chosen[depth] = v
    f.kinds[depth + 1] = f.kinds[depth]
    for r in range(3):
        f.left[depth + 1, r] = f.left[depth, r]
    for j in range(f.taken.shape[1]):
        f.taken[depth + 1, j] = f.taken[depth, j]
    if v >= 0:
        for r in range(3):
            f.left[depth + 1, r] -= need[v, r] * count[v]
        f.taken[depth + 1, v >> 6] |= np.uint64(1) << np.uint64(v & 63)
        f.kinds[depth + 1] += 1


@inline
def fits_beside(f: Any, depth: int, v: int, ordered: Any, need: Any, count: Any, steps: int) -> int:
    """Return whether set v is independent of the sets taken and packs beside them."""
    if count[v] < 0:
        return NO
    for r in range(3):
        if need[v, r] * count[v] > f.left[depth, r]:
            return NO
    for j in range(ordered.shape[1]):
        if (ordered[v, j] & f.taken[depth, j]) != 0:
            return NO
    n = 0
    for d in range(depth):
        if f.chosen[d] >= 0:
            n = insert(f.packing.sets, n, f.chosen[d], need)
    n = insert(f.packing.sets, n, v, need)
    return packs(f.packing, n, need, count, steps)


@inline
def insert(sets: Any, n: int, v: int, need: Any) -> int:
    """Insert set v into sets[:n], which are ordered by decreasing need; return n + 1."""
    i = n
    while i > 0 and larger(need[v], need[sets[i - 1]]):
        sets[i] = sets[i - 1]
        i -= 1
    sets[i] = v
    return n + 1


@inline
def larger(a: Any, b: Any) -> bool:
    """Return whether need a is packed before need b: more GPUs, then threads, then memory."""
    if a[1] != b[1]:
        return a[1] > b[1]
    if a[0] != b[0]:
        return a[0] > b[0]
    return a[2] > b[2]
