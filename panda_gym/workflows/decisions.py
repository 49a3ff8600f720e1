"""Step running workflows from decision to decision, and write the observation of an agent.

A decision is a ready set and a site, or hold. The clock advances by itself until at least one
ready set in the first K slots may be placed. In a pool a set may be placed while one of its tasks
fits now. On a platform it may be placed at every site where a task fits on an empty node, and the
task then queues there. One decision places `chunk` tasks, or as many as fit if chunk is 0. Hold
advances the clock to the next instant with events.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.jit.compiled import inline
from panda_gym.workflows.compiled import entry
from panda_gym.workflows.kernel import (
    advance,
    expected_s,
    find_node,
    place,
    pop_task,
    reset,
    stage_in_s,
)
from panda_gym.workflows.list_scheduling import estimated_wait_s, fits_empty_node
from panda_gym.workflows.residual import (
    closure_row,
    most_kinds_left,
    remove_ended,
    reset_residual,
    residual_row,
)
from panda_gym.workflows.state import state_row, workflow_row

Array = np.ndarray

SET_ROWS: Final = (
    "present", "waiting", "fits", "running", "duration", "rank", "slack", "threads", "gpus",
    "memory", "age", "kind_running", "order",
)  # fmt: skip
GRAPH_ROWS: Final = (
    "elapsed", "work_left", "tasks_left", "free_threads", "free_gpus", "free_memory", "doa_dep",
    "doa_res", "wla", "ready_sets", "running_tasks", "longest", "next_event",
    "stage",
)  # fmt: skip
SITE_ROWS: Final = ("free", "threads", "slowness", "backlog")
PAIR_ROWS: Final = ("delay", "run")
PLAN_ROWS: Final = ("planned", "onward")
"""More rows of pairs, where observations show a static schedule."""

REFERENCE: Final = np.dtype([("t_seq", "f8"), ("work", "f8")])
"""Reference values of a workflow: sequential time to execution, s; expected work, task s."""

RANK: Final = np.dtype([("rank", "f8"), ("order", "f8")])
"""Reference values of a set: upward rank, s; its stage, from 0 (first) to 1 (last)."""

STEP_COUNTERS: Final = np.dtype(
    [
        ("area", "f8"),  # s: integral of the unfinished share of the work since the last decision
        ("elapsed", "f8"),  # s: time since the last decision
        ("expected_left", "f8"),  # s: expected work of tasks that have not ended
        ("decisions", "i8"),
        ("illegal", "i8"),  # decisions outside the mask
        ("done", "i8"),
    ]
)


class References(NamedTuple):
    """Reference values of a library of workflows, by which features and rewards are scaled."""

    whole: Array  # REFERENCE[W]
    sets: Array  # RANK[W, S]
    plan: Array  # float32[W, 2, S, P], see PLAN_ROWS; float32[W, 2, 0, 0] without a schedule


class Scales(NamedTuple):
    """Scales of the features, in the order of the rows of each table."""

    sets: Array  # float64
    graph: Array
    sites: Array
    pairs: Array


class ObservationArrays(NamedTuple):
    """Observation, mask and step counters of E executions, written in place."""

    sets: Array  # float32[E, F, K]
    graph: Array  # float32[E, G]
    sites: Array  # float32[E, H, P]
    pairs: Array  # float32[E, D, K, P], with PLAN_ROWS or without
    mask: Array  # int8[E, K * P + 1]
    counters: Array  # STEP_COUNTERS[E]
    delay: Array  # float32[E, S, P]: stage-in of a set's tasks, once known; -1: unknown


@inline
def observation_row(view: Any, e: int) -> Any:
    """Return the fields of one execution without the first axis (`counters` has length 1)."""
    return ObservationArrays(
        view.sets[e], view.graph[e], view.sites[e], view.pairs[e], view.mask[e],
        view.counters[e : e + 1], view.delay[e],
    )  # fmt: skip


SKIP, STEP, BEGIN = 0, 1, 2  # commands of `proceed`


@entry
def proceed(
    library: Any, closures: Any, references: Any, scales: Any, m: Any, state: Any, residual: Any,
    view: Any,
    which: Any, todo: Any, actions: Any, chunk: int,
) -> None:  # fmt: skip
    """Skip, step or begin every execution, then run it to its next decision.

    Shape: which int64[E], the workflow of each; todo int8[E] of SKIP, STEP, BEGIN; actions
    int64[E].
    """
    for e in range(len(which)):
        w = which[e]
        p, x, g = workflow_row(library, w), state_row(state, e), closure_row(closures, w)
        d, v = residual_row(residual, e), observation_row(view, e)
        counters = v.counters[0]
        if todo[e] == SKIP or (todo[e] == STEP and counters.done):
            continue
        counters.area, counters.elapsed = 0.0, 0.0
        hold = False
        if todo[e] == BEGIN:
            reset(p, m, x, False)
            reset_residual(g, d)
            counters.decisions, counters.illegal, counters.done = 0, 0, 0
            for s in range(v.delay.shape[0]):
                v.delay[s, 0] = -1.0
        else:
            hold = apply_action(p, m, x, v, actions[e], chunk)
        run_to_decision(p, m, x, g, d, v, hold)
        goal, ranks, plan = references.whole[w], references.sets[w], references.plan[w]
        write_observation(p, m, x, g, d, v, goal, ranks, plan, scales)


@inline
def apply_action(p: Any, m: Any, x: Any, v: Any, action: int, chunk: int) -> bool:
    """Apply an action: place tasks, or return True for hold.

    A masked action is counted as illegal and replaced by the first legal one.
    """
    counters = v.counters[0]
    counters.decisions += 1
    if action < 0 or action >= len(v.mask) or v.mask[action] == 0:
        counters.illegal += 1
        action = 0
        while v.mask[action] == 0:
            action += 1
    if action == len(v.mask) - 1:
        return True
    sites = len(m.slowness)
    s, site = x.sets[action // sites].ready, action % sites
    if chunk > 0:
        count = min(chunk, x.sets[s].waiting)
    elif sites == 1:
        count = x.sets[s].waiting
    else:
        count = min(uncommitted_tasks(p, m, x, s, site), x.sets[s].waiting)
    for _ in range(count):
        if sites == 1 and find_node(p, m, x, s, 0) < 0:
            break
        place(p, m, x, pop_task(x, s), site)
    return False


@inline
def uncommitted_tasks(p: Any, m: Any, x: Any, s: int, site: int) -> int:
    """Return how many tasks of a set fit in a site's uncommitted capacity; at least 1."""
    need, node, there = p.sets[s], m.nodes[m.site_first[site]], x.sites[site]
    count = (node.threads - there.threads) // need.threads
    if need.gpus > 0:
        count = min(count, (node.gpus - there.gpus) // need.gpus)
    if need.memory > 0:
        count = min(count, (node.memory - there.memory) // need.memory)
    return max(count, 1)


@inline
def run_to_decision(p: Any, m: Any, x: Any, g: Any, d: Any, v: Any, hold: bool) -> None:
    """Advance the clock to the next decision or the end, by at least one instant after hold."""
    run, counters = x.run[0], v.counters[0]
    while hold or not can_place(p, m, x, v):
        hold = False
        if run.events == 0:
            counters.done = 1
            break
        delta = x.events[0].time - run.clock
        counters.elapsed += delta
        counters.area += delta * run.work_left
        advance(p, m, x)
    total = 0.0
    for s in range(p.flow[0].sets):
        total += x.sets[s].unfinished * p.sets[s].mean_s
    counters.expected_left = total
    remove_ended(g, d, x)


@inline
def can_place(p: Any, m: Any, x: Any, v: Any) -> bool:
    """Return whether a ready set in the slots may be placed somewhere."""
    for k in range(min(x.run[0].ready_sets, v.sets.shape[1])):
        if len(m.slowness) > 1 or find_node(p, m, x, x.sets[k].ready, 0) >= 0:
            return True
    return False


@inline
def ratio(value: float, scale: float) -> float:
    """Return value / (value + scale), the encoding of a `ratio` feature."""
    return value / (value + scale)


@inline
def write_observation(
    p: Any, m: Any, x: Any, g: Any, d: Any, v: Any, goal: Any, ranks: Any, plan: Any, c: Any
) -> None:
    """Write the observation and the mask of one execution."""
    slots, sites = v.sets.shape[1], len(m.slowness)
    for i in range(len(v.mask)):
        v.mask[i] = 0
    v.mask[len(v.mask) - 1] = 1 if x.run[0].events > 0 else 0
    write_sites(m, x, v, c.sites)
    longest, running, stage = 0.0, 0, 1.0
    for s in range(p.flow[0].sets):
        running += x.sets[s].unfinished - x.sets[s].unstarted
        if x.sets[s].unfinished > 0:
            longest = max(longest, ranks[s].rank)
            stage = min(stage, ranks[s].order)
    v.graph[13] = stage
    write_graph(p, m, x, g, d, v, goal, c.graph, longest, running)
    for k in range(slots):
        if k < x.run[0].ready_sets:
            s = x.sets[k].ready
            write_set(p, m, x, g, v, ranks[s], c.sets, k, s, longest)
            write_pairs(p, m, x, v, c.pairs, k, s)
            write_plan(v, plan, c.pairs, k, s)
            continue
        for f in range(v.sets.shape[0]):
            v.sets[f, k] = 0.0
        for row in range(v.pairs.shape[0]):
            for site in range(sites):
                v.pairs[row, k, site] = 0.0


@inline
def write_sites(m: Any, x: Any, v: Any, c: Any) -> None:
    """Write the features of the sites."""
    for site in range(len(m.slowness)):
        threads, free = 0, 0
        for k in range(m.site_first[site], m.site_first[site + 1]):
            threads += m.nodes[k].threads
            free += x.nodes[k].threads
        v.sites[0, site] = free / threads
        v.sites[1, site] = ratio(threads, c[1])
        v.sites[2, site] = ratio(m.slowness[site], c[2])
        v.sites[3, site] = ratio(max(x.sites[site].backlog, 0.0) / threads, c[3])


@inline
def write_graph(
    p: Any, m: Any, x: Any, g: Any, d: Any, v: Any, goal: Any, c: Any, longest: float,
    running: int,
) -> None:  # fmt: skip
    """Write the features of the whole workflow."""
    run, graph = x.run[0], v.graph
    kinds = most_kinds_left(p, g, d, x, len(m.nodes))
    dep, res = max(d.left[0].sets - d.left[0].matched - 1, 0), max(kinds - 1, 0)
    free, threads, gpus, memory = d.search.left, 0, 0, 0
    for k in range(len(m.nodes)):
        threads += m.nodes[k].threads
        gpus += m.nodes[k].gpus
        memory += m.nodes[k].memory
    graph[0] = ratio(run.clock / goal.t_seq if goal.t_seq > 0.0 else 0.0, c[0])
    graph[1] = v.counters[0].expected_left / goal.work if goal.work > 0.0 else 0.0
    graph[2] = run.left / p.flow[0].tasks
    graph[3] = free[0, 0] / threads
    graph[4] = free[0, 1] / gpus if gpus > 0 else 0.0
    graph[5] = free[0, 2] / memory
    graph[6] = ratio(dep, c[6])
    graph[7] = ratio(res, c[7])
    graph[8] = ratio(min(dep, res), c[8])
    graph[9] = ratio(run.ready_sets, c[9])
    graph[10] = ratio(running, c[10])
    graph[11] = ratio(longest, c[11])
    graph[12] = ratio(next_event_s(p, m, x), c[12])


@inline
def next_event_s(p: Any, m: Any, x: Any) -> float:
    """Return the expected time until the next event, s; from expected durations, not true ones."""
    run = x.run[0]
    if run.events == 0:
        return 0.0
    code = x.events[0].job
    if code >= p.flow[0].tasks:
        return x.events[0].time - run.clock
    task = x.tasks[code]
    expected = expected_s(p, m, p.tasks[code].set, task.site)
    return max(task.start + expected - run.clock, 0.0)


@inline
def write_set(
    p: Any, m: Any, x: Any, g: Any, v: Any, rank: Any, c: Any, k: int, s: int, longest: float
) -> None:
    """Write the features of a ready set, and in a pool its entry of the mask."""
    state, need = x.sets[s], p.sets[s]
    kind_running = 0
    for other in range(p.flow[0].sets):
        if g.nodes[other].kind == g.nodes[s].kind:
            kind_running += x.sets[other].unfinished - x.sets[other].unstarted
    threads, gpus, memory, fits = 1, 1, 1, 0
    for n in range(len(m.nodes)):
        node = m.nodes[n]
        threads, gpus = max(threads, node.threads), max(gpus, node.gpus)
        memory = max(memory, node.memory)
        if len(m.slowness) == 1 and fits < state.waiting:
            fits += tasks_that_fit(need, x.nodes[n])
    if len(m.slowness) > 1:
        fits = state.waiting
    v.sets[0, k] = 1.0
    v.sets[1, k] = ratio(state.waiting, c[1])
    v.sets[2, k] = ratio(min(fits, state.waiting), c[2])
    v.sets[3, k] = ratio(state.unfinished - state.unstarted, c[3])
    v.sets[4, k] = ratio(need.mean_s, c[4])
    v.sets[5, k] = ratio(rank.rank, c[5])
    v.sets[6, k] = ratio(max(longest - rank.rank, 0.0), c[6])
    v.sets[7, k] = need.threads / threads
    v.sets[8, k] = need.gpus / gpus
    v.sets[9, k] = need.memory / memory
    v.sets[10, k] = ratio(x.run[0].clock - x.tasks[state.head].ready, c[10])
    v.sets[11, k] = ratio(kind_running, c[11])
    v.sets[12, k] = rank.order
    if len(m.slowness) == 1 and fits > 0:
        v.mask[k] = 1


@inline
def tasks_that_fit(need: Any, free: Any) -> int:
    """Return how many tasks of a need fit in the free capacity of a node."""
    count = free.threads // need.threads
    if need.gpus > 0:
        count = min(count, free.gpus // need.gpus)
    if need.memory > 0:
        count = min(count, free.memory // need.memory)
    return count


@inline
def write_pairs(p: Any, m: Any, x: Any, v: Any, c: Any, k: int, s: int) -> None:
    """Write the features of a ready set at every site, and on a platform its mask entries."""
    sites = len(m.slowness)
    if sites == 1:
        v.pairs[0, k, 0] = 0.0
        v.pairs[1, k, 0] = ratio(expected_s(p, m, s, 0), c[1])
        return
    fixed = True  # the parents' output stays where it is once all of them have ended
    for i in range(p.sets[s].first_link, p.sets[s + 1].first_link):
        fixed = fixed and p.links[i].each == 0
    known = fixed and v.delay[s, 0] >= 0.0
    for site in range(sites):
        if not known:
            v.delay[s, site] = stage_in_s(p, m, x, x.sets[s].head, site)
        if fits_empty_node(p, m, s, site):
            v.mask[k * sites + site] = 1
        delay = max(float(v.delay[s, site]), estimated_wait_s(p, m, x, s, site))
        v.pairs[0, k, site] = ratio(delay, c[0])
        v.pairs[1, k, site] = ratio(expected_s(p, m, s, site), c[1])


@inline
def write_plan(v: Any, plan: Any, c: Any, k: int, s: int) -> None:
    """Write what the static schedule says of a ready set at every site, if one is shown."""
    if plan.shape[1] == 0:
        return
    for site in range(v.pairs.shape[2]):
        v.pairs[2, k, site] = plan[0, s, site]
        v.pairs[3, k, site] = ratio(plan[1, s, site], c[3])
