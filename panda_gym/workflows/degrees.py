"""Degrees of asynchronicity: how many kinds of work a workflow and a pool let run at once.

The definitions are a reconstruction of those of arXiv 2208.11069 from first principles, not its
wording:

    DOA_dep = width of the graph of task sets - 1
    DOA_res = most distinct kinds in an antichain that the capacity holds whole, - 1
    WLA     = min(DOA_dep, DOA_res)

The residual degrees at a time t are the same for the unfinished sets and the free capacity; the
demand of a set is then that of its tasks that have not started.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.jit.compiled import inline
from panda_gym.workflows import closure
from panda_gym.workflows.compiled import entry
from panda_gym.workflows.pool import Pool, needs
from panda_gym.workflows.width import width
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

SEARCH_SETS: Final = 2048
"""Up to so many sets DOA_res is searched among all antichains. Above, it is a lower bound from
the levels and the widest antichain."""

SEARCH_STEPS: Final = 500_000
"""Choices after which the search returns the best found, a lower bound."""


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
    demand = needs(flow, pool.threads_per_core) * flow.tasks[:, None]
    widest = width(flow)
    kinds, exact = most_kinds(flow, demand, pool.capacity, widest.antichain)
    return Degrees(widest.value - 1, max(kinds - 1, 0), widest.exact, exact)


def residual_degrees(
    flow: Workflow, pool: Pool, unstarted: Array, unfinished: Array, free: Array
) -> Degrees:
    """Return the degrees of the unfinished part of a workflow at one time.

    Shape: unstarted, unfinished int[n] tasks of every set; free int64[3] as `Pool.capacity`.
    Both degrees are 0 at the end, when every set has ended.
    """
    left = np.flatnonzero(np.asarray(unfinished) > 0)
    if len(left) == 0:
        return Degrees(0, 0, True, True)
    rest = subgraph(flow, left)
    demand = needs(rest, pool.threads_per_core) * np.asarray(unstarted)[left, None]
    widest = width(rest)
    kinds, exact = most_kinds(rest, demand, np.asarray(free), widest.antichain)
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


def most_kinds(flow: Workflow, demand: Array, free: Array, antichain: Array) -> tuple[int, bool]:
    """Return the most kinds of an antichain whose demands fit together, and whether it is exact.

    Shape: demand int64[n, 3] of whole sets, free int64[3], antichain int32[k] to begin with.
    """
    alone = np.all(demand <= free, axis=1)
    upper = _kinds_upper(flow.kind[alone], demand[alone], free)
    lower = _kinds_within(flow, demand, free, antichain[alone[antichain]])
    if lower < upper:
        lower = max(lower, _kinds_of_levels(flow, demand, free, alone))
    if lower == upper or len(flow) > SEARCH_SETS:
        return lower, lower == upper
    first, member = members(flow.kind, len(flow.kind_names), alone)
    ordered = closure.comparable(closure.descendants(flow))
    scratch = make_search(len(flow.kind_names), ordered.shape[1])
    scratch.left[0] = free
    found = _search(
        scratch, first, member, ordered, np.ascontiguousarray(demand), lower, upper, SEARCH_STEPS
    )
    return (found, True) if found >= 0 else (-1 - found, False)


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


def _kinds_within(flow: Workflow, demand: Array, free: Array, antichain: Array) -> int:
    """Count the kinds of one antichain that fit, the smallest share of the capacity first."""
    if len(antichain) == 0:
        return 0
    share = (demand[antichain] / np.maximum(free, 1)).max(axis=1)
    order = antichain[np.argsort(share, kind="stable")]
    _, once = np.unique(flow.kind[order], return_index=True)
    used = np.cumsum(demand[order[np.sort(once)]], axis=0)
    return int(np.count_nonzero((used <= free).all(axis=1)))


def _kinds_of_levels(flow: Workflow, demand: Array, free: Array, alone: Array) -> int:
    order = np.argsort(flow.level, kind="stable")
    cuts = np.flatnonzero(np.diff(flow.level[order])) + 1
    best = 0
    for level in np.split(order, cuts):
        if len(level) > best:
            best = max(best, _kinds_within(flow, demand, free, level[alone[level]]))
    return best


class Search(NamedTuple):
    """Scratch arrays of a search over k kinds: row d is the state before kind d is decided."""

    choice: Array  # int64[k + 1]: position in `member` that is being tried
    taken: Array  # uint64[k + 1, words]: bits of the sets taken
    left: Array  # int64[k + 1, 3]: capacity left
    kinds: Array  # int64[k + 1]: kinds taken


def make_search(kinds: int, words: int, batch: tuple[int, ...] = ()) -> Search:
    """Return scratch arrays for up to `kinds` kinds and 64 x words sets."""
    return Search(
        np.zeros((*batch, kinds + 1), np.int64),
        np.zeros((*batch, kinds + 1, words), np.uint64),
        np.zeros((*batch, kinds + 1, 3), np.int64),
        np.zeros((*batch, kinds + 1), np.int64),
    )


@entry
def _search(
    scratch: Any, first: Any, member: Any, ordered: Any, demand: Any, lower: int, upper: int,
    steps: int,
) -> int:  # fmt: skip
    return search_kinds(
        scratch, len(first) - 1, first, member, ordered, demand, lower, upper, steps
    )


@inline
def search_kinds(
    f: Any, kinds: int, first: Any, member: Any, ordered: Any, demand: Any, lower: int,
    upper: int, steps: int,
) -> int:  # fmt: skip
    """Return the most kinds of an antichain that fits, by branch and bound over kinds.

    At most one set of a kind is taken, since a second one adds no kind. Shape: first, member as
    of `members`; ordered bits as of `closure.comparable`; demand int64[n, 3], negative for a set
    that has ended; f.left[0] the capacity. The search stops at `upper`. After `steps` choices it
    returns -1 - (the most found).
    """
    best = lower
    depth = 0
    f.choice[0] = first[0] - 1
    f.kinds[0] = 0
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
        if v >= 0 and not fits_beside(f, depth, v, ordered, demand):
            continue
        f.kinds[depth + 1] = f.kinds[depth]
        for r in range(3):
            f.left[depth + 1, r] = f.left[depth, r]
        for j in range(ordered.shape[1]):
            f.taken[depth + 1, j] = f.taken[depth, j]
        if v >= 0:
            for r in range(3):
                f.left[depth + 1, r] -= demand[v, r]
            f.taken[depth + 1, v >> 6] |= np.uint64(1) << np.uint64(v & 63)
            f.kinds[depth + 1] += 1
            best = max(best, f.kinds[depth + 1])
        depth += 1
        if depth < kinds:
            f.choice[depth] = first[depth] - 1
    return best


@inline
def fits_beside(f: Any, depth: int, v: int, ordered: Any, demand: Any) -> bool:
    """Return whether set v fits in the capacity left and is independent of the sets taken."""
    fits = demand[v, 0] >= 0
    for r in range(3):
        fits = fits and demand[v, r] <= f.left[depth, r]
    for j in range(ordered.shape[1]):
        fits = fits and (ordered[v, j] & f.taken[depth, j]) == 0
    return fits
