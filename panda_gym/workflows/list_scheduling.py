"""Online list scheduling: at every instant, place ready tasks in the order of their priority.

Sets with waiting tasks are visited by (priority, time of readiness). In a pool every task that
fits is started, and one that does not fit is skipped (first fit). On a platform every task is sent
to a site at once. `p`, `m` and `x` are as in `kernel`.
"""

from __future__ import annotations

from typing import Any, Final

from panda_gym.jit.compiled import inline
from panda_gym.jit.heap import before, pop
from panda_gym.workflows.compiled import entry
from panda_gym.workflows.kernel import (
    advance,
    enqueue_set,
    expected_s,
    find_node,
    place,
    pop_task,
    reset,
    stage_in_s,
)
from panda_gym.workflows.state import state_row, workflow_row

TIE_S: Final = 1e-6
"""Estimates that differ by no more than this are equal, s."""


@entry
def run_list_schedule(library: Any, m: Any, state: Any, w: int, e: int, earliest: bool) -> None:
    """Run workflow w as execution e to its end; `earliest` selects the rule of `choose_site`."""
    p, x = workflow_row(library, w), state_row(state, e)
    pool = len(m.slowness) == 1
    reset(p, m, x, True)
    while x.run[0].events > 0:
        advance(p, m, x)
        for c in range(p.flow[0].classes):
            x.classes[c].blocked = 0
        while True:
            c = best_class(p, x)
            if c < 0:
                break
            s = first_of_class(p, x, c)
            # Free capacity only shrinks while tasks start: a class that does not fit is done.
            if pool and find_node(p, m, x, s, 0) < 0:
                x.classes[c].blocked = 1
                continue
            task = next_of_class(p, x, c, s)
            site = 0 if pool else choose_site(p, m, x, task, earliest)
            place(p, m, x, task, site)


@inline
def best_class(p: Any, x: Any) -> int:
    """Return the unblocked class whose first set has the least (priority, serial); -1: none."""
    best = -1
    for c in range(p.flow[0].classes):
        if x.classes[c].size == 0 or x.classes[c].blocked:
            continue
        at = p.class_first[c]
        if best < 0 or before(x.heap[at].time, x.heap[at].job, x.heap[p.class_first[best]]):
            best = c
    return best


@inline
def first_of_class(p: Any, x: Any, c: int) -> int:
    """Return the first set of a class that has one."""
    return p.tasks[x.tasks[x.heap[p.class_first[c]].job].of_serial].set


@inline
def next_of_class(p: Any, x: Any, c: int, s: int) -> int:
    """Pop the first task of s, the first set of class c; keep the set if it has more tasks."""
    pop(x.heap, p.class_first[c], x.classes[c].size)
    x.classes[c].size -= 1
    task = pop_task(x, s)
    if x.sets[s].head >= 0:
        enqueue_set(p, x, s)
    return task


@inline
def estimated_wait_s(p: Any, m: Any, x: Any, s: int, site: int) -> float:
    """Estimate the wait of a task of set s for capacity at a site of one node, s.

    It is 0 while the tasks placed there leave room, else their expected work over the threads.
    """
    node, there, need = m.nodes[m.site_first[site]], x.sites[site], p.sets[s]
    if (
        there.threads + need.threads <= node.threads
        and there.gpus + need.gpus <= node.gpus
        and there.memory + need.memory <= node.memory
    ):
        return 0.0
    return max(there.backlog, 0.0) / node.threads


@inline
def fits_empty_node(p: Any, m: Any, s: int, site: int) -> bool:
    """Return whether a task of set s fits on an empty node of a site."""
    node, need = m.nodes[m.site_first[site]], p.sets[s]
    return need.threads <= node.threads and need.gpus <= node.gpus and need.memory <= node.memory


@inline
def choose_site(p: Any, m: Any, x: Any, task: int, earliest: bool) -> int:
    """Return the site of the earliest estimated finish, or of the least wait, then the fastest.

    The estimate is max(stage-in, wait) + run, since input is transferred while the task waits.
    Estimates that are equal within `TIE_S` go to the first site, whatever the rounding of sums.
    """
    s = p.tasks[task].set
    best, best_end, best_wait = -1, 0.0, 0.0
    for site in range(len(m.slowness)):
        if not fits_empty_node(p, m, s, site):
            continue
        wait = estimated_wait_s(p, m, x, s, site)
        ready = max(wait, stage_in_s(p, m, x, task, site)) if earliest else 0.0
        finish = ready + expected_s(p, m, s, site)
        better = finish < best_end - TIE_S
        if not earliest and abs(wait - best_wait) > TIE_S:
            better = wait < best_wait
        if best < 0 or better:
            best, best_end, best_wait = site, finish, wait
    return best
