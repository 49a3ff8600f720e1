"""List scheduling on the kernel: who goes next, and where; knows arrays, no names.

At every instant the sets with waiting tasks are gone through by (priority, time of readiness)
and every task that fits is started: a task that does not fit is passed over (first fit); on a
platform every task is sent to a site at once. `p`, `m` and `x` as in kernel.
"""

from __future__ import annotations

from typing import Any, Final

from panda_gym.jit.heap import before, pop
from panda_gym.workflows.compiled import entry, inner
from panda_gym.workflows.kernel import (
    advance,
    announce,
    expected_s,
    place,
    reset,
    room,
    stage_in,
    take,
)
from panda_gym.workflows.state import plan_row, state_row

TIE_S: Final = 1e-6


@entry
def run(plan: Any, m: Any, state: Any, w: int, e: int, earliest: bool) -> None:
    """Run workflow w as execution e to its end; see `choose_site` for `earliest`."""
    p, x = plan_row(plan, w), state_row(state, e)
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
            # Room only shrinks while tasks start: a class that is refused stays refused now.
            if pool and room(p, m, x, s, 0) < 0:
                x.classes[c].blocked = 1
                continue
            task = next_of_class(p, x, c, s)
            site = 0 if pool else choose_site(p, m, x, task, earliest)
            place(p, m, x, task, site)


@inner
def best_class(p: Any, x: Any) -> int:
    """Class with the set that comes first by (priority, serial) and is not blocked; -1: none."""
    best = -1
    for c in range(p.flow[0].classes):
        if x.classes[c].size == 0 or x.classes[c].blocked:
            continue
        at = p.class_first[c]
        if best < 0 or before(x.heap[at].time, x.heap[at].job, x.heap[p.class_first[best]]):
            best = c
    return best


@inner
def first_of_class(p: Any, x: Any, c: int) -> int:
    """The set that comes first in a class that has one."""
    return p.tasks[x.tasks[x.heap[p.class_first[c]].job].of_serial].set


@inner
def next_of_class(p: Any, x: Any, c: int, s: int) -> int:
    """Take the first task of a class's first set s; the set stays if it has more."""
    pop(x.heap, p.class_first[c], x.classes[c].size)
    x.classes[c].size -= 1
    task = take(x, s)
    if x.sets[s].head >= 0:
        announce(p, x, s)
    return task


@inner
def wait_at(p: Any, m: Any, x: Any, s: int, site: int) -> float:
    """Estimated wait of a task of set s for room at a site of one node, s.

    Zero while what is placed there leaves room, else the work placed there shared by its threads.
    """
    node, there, need = m.nodes[m.site_first[site]], x.sites[site], p.sets[s]
    if (
        there.threads + need.threads <= node.threads
        and there.gpus + need.gpus <= node.gpus
        and there.memory + need.memory <= node.memory
    ):
        return 0.0
    return max(there.backlog, 0.0) / node.threads


@inner
def holds(p: Any, m: Any, s: int, site: int) -> bool:
    """Whether a task of set s fits on an empty node of a site."""
    node, need = m.nodes[m.site_first[site]], p.sets[s]
    return need.threads <= node.threads and need.gpus <= node.gpus and need.memory <= node.memory


@inner
def choose_site(p: Any, m: Any, x: Any, task: int, earliest: bool) -> int:
    """Site of the earliest estimated end (HEFT's rule), or of the least wait, then the fastest.

    The estimate is max(stage-in, wait) + run: input travels while the task waits for room. Equal
    estimates, to TIE_S, go to the first site, whatever the rounding of sums.
    """
    s = p.tasks[task].set
    best, best_end, best_wait = -1, 0.0, 0.0
    for site in range(len(m.slowness)):
        if not holds(p, m, s, site):
            continue
        wait = wait_at(p, m, x, s, site)
        ready = max(wait, stage_in(p, m, x, task, site)) if earliest else 0.0
        finish = ready + expected_s(p, m, s, site)
        better = finish < best_end - TIE_S
        if not earliest and abs(wait - best_wait) > TIE_S:
            better = wait < best_wait
        if best < 0 or better:
            best, best_end, best_wait = site, finish, wait
    return best
