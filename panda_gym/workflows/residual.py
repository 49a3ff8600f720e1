"""Degrees of asynchronicity of what is left of a running workflow, kept up as sets end.

The width is exact at every instant: a maximum matching of the closure (Dilworth) loses at most
one edge when a set ends, since sets end from the roots on, and one augmenting path then makes it
maximum again. DOA_res is searched anew, for a bounded number of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.workflows import closure
from panda_gym.workflows.closure import has
from panda_gym.workflows.compiled import entry, inner
from panda_gym.workflows.degrees import Search, make_search, members, search_kinds
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

MOST_SETS: Final = 512
"""Largest workflow, in sets, of which the degrees are kept up."""

STEPS: Final = 2000
"""Choices after which the search for DOA_res keeps the best found (a lower bound)."""

SHAPE: Final = np.dtype([("sets", "i8"), ("kinds", "i8"), ("matched", "i8")])
NODE: Final = np.dtype(
    [
        ("order", "i4"),  # entry i: the i-th set in topological order
        ("kind", "i4"),
        ("to", "i4"),  # matching: the set that follows it in a chain; -1: none
        ("of", "i4"),  # matching: the set that it follows; -1: none
    ]
)


class Shape(NamedTuple):
    """The graphs of a library of W workflows."""

    whole: Array  # SHAPE[W]
    nodes: Array  # NODE[W, S]
    kind_first: Array  # int32[W, K + 1]
    member: Array  # int32[W, S]: sets by kind
    after: Array  # uint64[W, S, words]: bit w of row v: w comes after v
    ordered: Array  # uint64[W, S, words]: one of both comes after the other


LEFT: Final = np.dtype([("sets", "i8"), ("matched", "i8"), ("res", "i8")])
LINK: Final = np.dtype(
    [("to", "i4"), ("of", "i4"), ("gone", "i4"), ("back", "i4"), ("queue", "i4")]
)


class Residual(NamedTuple):
    """What is left in E executions."""

    left: Array  # LEFT[E]
    links: Array  # LINK[E, S]
    demand: Array  # int64[E, S, 3]
    search: Search  # with leading axis E


def shape_of(flows: Sequence[Workflow]) -> Shape:
    """Graphs of several workflows, rows padded to the longest."""
    most = max(len(flow) for flow in flows)
    if most > MOST_SETS:
        name = max(flows, key=len).name
        raise WorkflowError(
            f"workflows of at most {MOST_SETS} task sets", f"{most} in {name!r}", "merge like tasks"
        )
    words, kinds = (most + 63) // 64, max(len(flow.kind_names) for flow in flows)
    shape = Shape(
        np.zeros(len(flows), SHAPE),
        np.zeros((len(flows), most), NODE),
        np.zeros((len(flows), kinds + 1), np.int32),
        np.zeros((len(flows), most), np.int32),
        np.zeros((len(flows), most, words), np.uint64),
        np.zeros((len(flows), most, words), np.uint64),
    )
    for w, flow in enumerate(flows):
        n = len(flow)
        after = closure.descendants(flow)
        shape.after[w, :n, : after.shape[1]] = after
        shape.ordered[w, :n, : after.shape[1]] = closure.comparable(after)
        first, member = members(flow.kind, len(flow.kind_names), np.ones(n, dtype=bool))
        shape.kind_first[w, : len(first)], shape.kind_first[w, len(first) :] = first, n
        nodes = shape.nodes[w, :n]
        shape.member[w, :n] = member
        nodes["order"], nodes["kind"] = flow.order, flow.kind
        nodes["to"] = nodes["of"] = -1
        shape.whole[w] = (n, len(flow.kind_names), 0)
    residual = make_residual(shape, len(flows))
    for w in range(len(flows)):
        _match_all(shape, residual, w)
        n = len(flows[w])
        shape.nodes["to"][w, :n] = residual.links["to"][w, :n]
        shape.nodes["of"][w, :n] = residual.links["of"][w, :n]
        shape.whole["matched"][w] = residual.left["matched"][w]
    return shape


def make_residual(shape: Shape, envs: int) -> Residual:
    """Empty residuals of `envs` executions."""
    sets, words = shape.after.shape[1:]
    return Residual(
        np.zeros(envs, LEFT),
        np.zeros((envs, sets), LINK),
        np.zeros((envs, sets, 3), np.int64),
        make_search(shape.kind_first.shape[1] - 1, words, (envs,)),
    )


@inner
def shape_row(shape: Any, w: int) -> Any:
    """One workflow: the same fields without the first axis (whole: length 1)."""
    return Shape(
        shape.whole[w : w + 1], shape.nodes[w], shape.kind_first[w], shape.member[w],
        shape.after[w], shape.ordered[w],
    )  # fmt: skip


@inner
def residual_row(residual: Any, e: int) -> Any:
    """One execution: the same fields without the first axis (left: length 1)."""
    f = residual.search
    return Residual(
        residual.left[e : e + 1],
        residual.links[e],
        residual.demand[e],
        Search(f.choice[e], f.taken[e], f.left[e], f.kinds[e]),
    )


@entry
def _match_all(shape: Any, residual: Any, w: int) -> None:
    g, d = shape_row(shape, w), residual_row(residual, w)
    whole(g, d)
    for w_ in range(g.whole[0].sets):
        if augment(g, d, w_):
            d.left[0].matched += 1


@inner
def whole(g: Any, d: Any) -> None:
    """Nothing has ended."""
    d.left[0].sets, d.left[0].matched = g.whole[0].sets, g.whole[0].matched
    for v in range(g.whole[0].sets):
        link = d.links[v]
        link.to, link.of, link.gone = g.nodes[v].to, g.nodes[v].of, 0


@inner
def augment(g: Any, d: Any, free: int) -> bool:
    """Find a set to stand before the unpreceded set `free`, moving others; breadth first."""
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
            # u begins no link: turn the path that led here.
            while True:
                w = d.links[u].back
                next_ = d.links[w].of
                d.links[u].to, d.links[w].of = w, u
                if w == free:
                    return True
                u = next_
    return False


@inner
def drop(g: Any, d: Any, x: Any) -> None:
    """Take the sets out that have ended, in topological order."""
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


@inner
def res_kinds(p: Any, g: Any, d: Any, x: Any, nodes: int) -> int:
    """Most kinds of an antichain of what is left that fit in what is free, searched in STEPS."""
    free = d.search.left
    for r in range(3):
        free[0, r] = 0
    for k in range(nodes):
        free[0, 0] += x.nodes[k].threads
        free[0, 1] += x.nodes[k].gpus
        free[0, 2] += x.nodes[k].memory
    for v in range(g.whole[0].sets):
        need, count = p.sets[v], x.sets[v].unstarted
        if x.sets[v].unfinished == 0:
            count = 0
            d.demand[v, 0] = -1
            continue
        d.demand[v, 0] = need.threads * count
        d.demand[v, 1] = need.gpus * count
        d.demand[v, 2] = need.memory * count
    kinds = g.whole[0].kinds
    found = search_kinds(
        d.search, kinds, g.kind_first, g.member, g.ordered, d.demand, 0, kinds, STEPS
    )
    return found if found >= 0 else -1 - found
