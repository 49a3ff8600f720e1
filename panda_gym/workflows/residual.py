"""Degrees of asynchronicity of the unfinished part of a running workflow, updated as sets end.

The width is exact at every instant. A maximum matching of the transitive closure (Dilworth) loses
at most one edge when a set ends, and one augmenting path makes it maximum again. DOA_res is
searched again at every decision, with a bounded number of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.jit.compiled import inline
from panda_gym.workflows import closure
from panda_gym.workflows.closure import has
from panda_gym.workflows.compiled import entry
from panda_gym.workflows.degrees import Search, make_search, members, search_kinds
from panda_gym.workflows.packing import Packing
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

MOST_SETS: Final = 512
"""Most task sets of a workflow whose residual degrees are tracked."""

STEPS: Final = 6000
"""Steps after which the search for DOA_res returns the best found, a lower bound."""

PACK_STEPS: Final = 200
"""Fillings after which a packing counts as impossible, so that DOA_res is a lower bound."""

CLOSURE: Final = np.dtype([("sets", "i8"), ("kinds", "i8"), ("matched", "i8")])
NODE: Final = np.dtype(
    [
        ("order", "i4"),  # entry i: the i-th set in topological order
        ("kind", "i4"),
        ("to", "i4"),  # matching: its successor in a chain; -1: none
        ("of", "i4"),  # matching: its predecessor in a chain; -1: none
    ]
)


class Closures(NamedTuple):
    """Transitive closures and matchings of a library of W workflows."""

    whole: Array  # CLOSURE[W]
    nodes: Array  # NODE[W, S]
    kind_first: Array  # int32[W, K + 1]
    member: Array  # int32[W, S]: sets by kind
    after: Array  # uint64[W, S, words]: bit w of row v: w comes after v
    ordered: Array  # uint64[W, S, words]: bit w of row v: v and w are ordered


LEFT: Final = np.dtype([("sets", "i8"), ("matched", "i8"), ("res", "i8")])
LINK: Final = np.dtype(
    [("to", "i4"), ("of", "i4"), ("gone", "i4"), ("back", "i4"), ("queue", "i4")]
)


class Residual(NamedTuple):
    """Unfinished parts of E executions."""

    left: Array  # LEFT[E]
    links: Array  # LINK[E, S]
    need: Array  # int64[E, S, 3]: need of a task
    tasks: Array  # int64[E, S]: tasks that have not started; -1: the set has ended
    search: Search  # with leading axis E


def closures_of(flows: Sequence[Workflow]) -> Closures:
    """Return closures and matchings of several workflows, rows padded to the longest.

    Raises WorkflowError if a workflow has more than `MOST_SETS` sets.
    """
    most = max(len(flow) for flow in flows)
    if most > MOST_SETS:
        name = max(flows, key=len).name
        raise WorkflowError(
            f"workflows of at most {MOST_SETS} task sets", f"{most} in {name!r}", "merge like tasks"
        )
    words, kinds = (most + 63) // 64, max(len(flow.kind_names) for flow in flows)
    closures = Closures(
        np.zeros(len(flows), CLOSURE),
        np.zeros((len(flows), most), NODE),
        np.zeros((len(flows), kinds + 1), np.int32),
        np.zeros((len(flows), most), np.int32),
        np.zeros((len(flows), most, words), np.uint64),
        np.zeros((len(flows), most, words), np.uint64),
    )
    for w, flow in enumerate(flows):
        _write_closure(closures, w, flow)
    residual = make_residual(closures, len(flows), 1)
    for w in range(len(flows)):
        _match_all(closures, residual, w)
        n = len(flows[w])
        closures.nodes["to"][w, :n] = residual.links["to"][w, :n]
        closures.nodes["of"][w, :n] = residual.links["of"][w, :n]
        closures.whole["matched"][w] = residual.left["matched"][w]
    return closures


def _write_closure(closures: Closures, w: int, flow: Workflow) -> None:
    """Write the row of one workflow, without a matching."""
    n, after = len(flow), closure.descendants(flow)
    closures.after[w, :n, : after.shape[1]] = after
    closures.ordered[w, :n, : after.shape[1]] = closure.comparable(after)
    first, member = members(flow.kind, len(flow.kind_names), np.ones(n, dtype=bool))
    closures.kind_first[w, : len(first)], closures.kind_first[w, len(first) :] = first, n
    nodes = closures.nodes[w, :n]
    closures.member[w, :n] = member
    nodes["order"], nodes["kind"] = flow.order, flow.kind
    nodes["to"] = nodes["of"] = -1
    closures.whole[w] = (n, len(flow.kind_names), 0)


def make_residual(closures: Closures, envs: int, nodes: int) -> Residual:
    """Return zeroed residuals of `envs` executions on `nodes` nodes."""
    sets, words = closures.after.shape[1:]
    return Residual(
        np.zeros(envs, LEFT),
        np.zeros((envs, sets), LINK),
        np.zeros((envs, sets, 3), np.int64),
        np.zeros((envs, sets), np.int64),
        make_search(closures.kind_first.shape[1] - 1, words, nodes, (envs,)),
    )


@inline
def closure_row(closures: Any, w: int) -> Any:
    """Return the fields of one workflow without the first axis (`whole` has length 1)."""
    return Closures(
        closures.whole[w : w + 1], closures.nodes[w], closures.kind_first[w], closures.member[w],
        closures.after[w], closures.ordered[w],
    )  # fmt: skip


@inline
def residual_row(residual: Any, e: int) -> Any:
    """Return the fields of one execution without the first axis (`left` has length 1)."""
    f, k = residual.search, residual.search.packing
    return Residual(
        residual.left[e : e + 1],
        residual.links[e],
        residual.need[e],
        residual.tasks[e],
        Search(
            f.choice[e], f.taken[e], f.left[e], f.kinds[e], f.chosen[e],
            Packing(k.sets[e], k.free[e], k.limit[e], k.fill[e], k.spent[e]),
        ),
    )  # fmt: skip


@entry
def _match_all(closures: Any, residual: Any, w: int) -> None:
    g, d = closure_row(closures, w), residual_row(residual, w)
    reset_residual(g, d)
    for v in range(g.whole[0].sets):
        if augment(g, d, v):
            d.left[0].matched += 1


@inline
def reset_residual(g: Any, d: Any) -> None:
    """Reset the residual: no set has ended."""
    d.left[0].sets, d.left[0].matched = g.whole[0].sets, g.whole[0].matched
    for v in range(g.whole[0].sets):
        link = d.links[v]
        link.to, link.of, link.gone = g.nodes[v].to, g.nodes[v].of, 0


@inline
def augment(g: Any, d: Any, free: int) -> bool:
    """Match a predecessor to the unmatched set `free` by an augmenting path, breadth first.

    Return whether there is such a path.
    """
    sets = g.whole[0].sets
    for v in range(sets):
        d.links[v].back = -1
    d.links[0].queue = free
    first, last = 0, 1
    while first < last:
        w = d.links[first].queue
        first += 1
        for u in range(sets):
            if d.links[u].gone or d.links[u].back >= 0 or not has(g.after, u, w):
                continue
            d.links[u].back = w
            if d.links[u].to >= 0:
                d.links[last].queue = d.links[u].to
                last += 1
                continue
            # u is unmatched: flip the edges of the path that led here.
            while True:
                w = d.links[u].back
                displaced = d.links[w].of
                d.links[u].to, d.links[w].of = w, u
                if w == free:
                    return True
                u = displaced
    return False


@inline
def remove_ended(g: Any, d: Any, x: Any) -> None:
    """Remove the sets that have ended, in topological order, and repair the matching."""
    for i in range(g.whole[0].sets):
        v = g.nodes[i].order
        if d.links[v].gone or x.sets[v].unfinished > 0:
            continue
        d.links[v].gone = 1
        d.left[0].sets -= 1
        w = d.links[v].to
        if w >= 0:
            d.links[w].of = -1
            if not augment(g, d, w):
                d.left[0].matched -= 1


@inline
def most_kinds_left(p: Any, g: Any, d: Any, x: Any, nodes: int) -> int:
    """Return the most kinds of an antichain of unfinished sets that fit in the free capacity.

    The search stops after `STEPS` steps and then returns a lower bound.
    """
    free, total = d.search.packing.free, d.search.left
    for k in range(nodes):
        node = x.nodes[k]
        free[0, k, 0], free[0, k, 1], free[0, k, 2] = node.threads, node.gpus, node.memory
    for r in range(3):
        total[0, r] = 0
        for k in range(nodes):
            total[0, r] += free[0, k, r]
    for v in range(g.whole[0].sets):
        need = p.sets[v]
        d.need[v, 0], d.need[v, 1], d.need[v, 2] = need.threads, need.gpus, need.memory
        d.tasks[v] = x.sets[v].unstarted if x.sets[v].unfinished > 0 else -1
    kinds = g.whole[0].kinds
    found = search_kinds(
        d.search, kinds, g.kind_first, g.member, g.ordered, d.need, d.tasks, 0, kinds, STEPS,
        PACK_STEPS,
    )  # fmt: skip
    return found if found >= 0 else -1 - found
