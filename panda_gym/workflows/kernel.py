"""Discrete-event simulation of one running workflow, exact to the event.

Invariants, checked against the tests' slow twins: the free capacity of a node is never negative.
All events of one instant are handled (ends by task number, then arrivals, then releases by group
number) before a task is placed at that instant.

    release of a group -> its tasks are ready -> placed at a site -> input is transferred, while
    the task holds no resources -> queued at the site, first in first out -> started on the first
    node with free capacity -> ends -> its group may end -> releases, one gap later

A pool has no transfers, so that a task placed while it fits starts at once. `p`, `m` and `x` are
a row of `WorkflowArrays`, the `Machine` and a row of `State`.
"""

from __future__ import annotations

from typing import Any

from panda_gym.jit.compiled import inline
from panda_gym.jit.heap import pop, push


@inline
def reset(p: Any, m: Any, x: Any, ranked: bool) -> None:
    """Reset an execution to time 0; the caller sets x.tasks.duration.

    ranked: keep a heap by priority for every class, else one list of ready sets.
    """
    flow, run = p.flow[0], x.run[0]
    run.clock, run.work_left, run.left, run.events, run.serials = 0.0, 0.0, flow.tasks, 0, 0
    run.ready_sets = -1 if ranked else 0
    for k in range(len(m.nodes)):
        free, whole = x.nodes[k], m.nodes[k]
        free.threads, free.gpus, free.memory = whole.threads, whole.gpus, whole.memory
    for s in range(x.done_at.shape[0]):
        for k in range(x.done_at.shape[1]):
            x.done_at[s, k] = 0
    for c in range(flow.classes):
        x.classes[c].hint = x.classes[c].size = 0
    for s in range(len(x.sites)):
        site = x.sites[s]
        site.threads, site.gpus, site.memory, site.backlog, site.head = 0, 0, 0, 0.0, -1
    for s in range(flow.sets):
        count = p.sets[s + 1].first_task - p.sets[s].first_task
        state = x.sets[s]
        state.waiting, state.head, state.unstarted, state.unfinished = 0, -1, count, count
    for i in range(flow.tasks):
        x.tasks[i].pending = p.tasks[i].parents
        run.work_left += x.tasks[i].duration
    for g in range(flow.groups):
        x.groups[g].pending = p.groups[g].parents
        x.groups[g].left = p.groups[g].tasks
        if p.groups[g].parents == 0:
            schedule(x, 0.0, 2 * flow.tasks + g)


@inline
def schedule(x: Any, time: float, code: int) -> None:
    """Add an event."""
    push(x.events, 0, x.run[0].events, time, code)
    x.run[0].events += 1


@inline
def advance(p: Any, m: Any, x: Any) -> None:
    """Advance to the next instant with events and handle all of them; there must be one."""
    now = x.events[0].time
    run = x.run[0]
    run.clock = now
    tasks = p.flow[0].tasks
    while run.events > 0 and x.events[0].time == now:
        code = pop(x.events, 0, run.events)
        run.events -= 1
        if code < tasks:
            finish_task(p, m, x, code)
        elif code < 2 * tasks:
            arrive(p, m, x, code - tasks)
        else:
            release(p, x, code - 2 * tasks)


@inline
def release(p: Any, x: Any, group: int) -> None:
    """Resolve the dependency of a group's tasks on other groups."""
    for i in range(p.groups[group].first_set, p.groups[group + 1].first_set):
        s = p.group_set[i]
        for task in range(p.sets[s].first_task, p.sets[s + 1].first_task):
            resolve_dependency(p, x, task)


@inline
def resolve_dependency(p: Any, x: Any, task: int) -> None:
    """Resolve one dependency of a task; the last one makes it ready."""
    entry = x.tasks[task]
    entry.pending -= 1
    if entry.pending > 0:
        return
    run, s = x.run[0], p.tasks[task].set
    entry.serial, entry.after, entry.ready = run.serials, -1, run.clock
    x.tasks[run.serials].of_serial = task
    run.serials += 1
    x.sets[s].waiting += 1
    if x.sets[s].head < 0:
        x.sets[s].head = task
        enqueue_set(p, x, s)
    else:
        x.tasks[x.sets[s].tail].after = task
    x.sets[s].tail = task


@inline
def enqueue_set(p: Any, x: Any, s: int) -> None:
    """Enter a set with waiting tasks in the heap of its class, or in the ready list."""
    run = x.run[0]
    if run.ready_sets >= 0:
        x.sets[run.ready_sets].ready = s
        run.ready_sets += 1
        return
    c = p.sets[s].need_class
    serial = x.tasks[x.sets[s].head].serial
    push(x.heap, p.class_first[c], x.classes[c].size, p.sets[s].priority, serial)
    x.classes[c].size += 1


@inline
def pop_task(x: Any, s: int) -> int:
    """Pop the first waiting task of a set."""
    task = x.sets[s].head
    x.sets[s].head = x.tasks[task].after
    x.sets[s].waiting -= 1
    x.sets[s].unstarted -= 1
    run = x.run[0]
    if run.ready_sets >= 0 and x.sets[s].head < 0:
        kept = 0
        for i in range(run.ready_sets):
            if x.sets[i].ready != s:
                x.sets[kept].ready = x.sets[i].ready
                kept += 1
        run.ready_sets = kept
    return task


@inline
def find_node(p: Any, m: Any, x: Any, s: int, site: int) -> int:
    """Return the first node of a site with free capacity for a task of set s; -1: none."""
    need = p.sets[s]
    first, last = m.site_first[site], m.site_first[site + 1]
    pool = len(m.slowness) == 1
    if pool:
        first = max(first, x.classes[need.need_class].hint)
    found = -1
    for node in range(first, last):
        free = x.nodes[node]
        if free.threads >= need.threads and free.gpus >= need.gpus and free.memory >= need.memory:
            found = node
            break
    if pool:
        x.classes[need.need_class].hint = last if found < 0 else found
    return found


@inline
def run_time_s(p: Any, m: Any, x: Any, task: int, site: int) -> float:
    """Return how long a task holds its resources at a site, s."""
    return m.launch_s + x.tasks[task].duration * m.slowness[site]


@inline
def expected_s(p: Any, m: Any, s: int, site: int) -> float:
    """Return how long a task of set s is expected to hold its resources at a site, s."""
    return m.launch_s + p.sets[s].mean_s * m.slowness[site]


@inline
def place(p: Any, m: Any, x: Any, task: int, site: int) -> None:
    """Send a popped task to a site: its input is transferred there, then it queues."""
    need, there = p.sets[p.tasks[task].set], x.sites[site]
    x.tasks[task].placed = x.run[0].clock
    x.tasks[task].site = site
    there.threads += need.threads
    there.gpus += need.gpus
    there.memory += need.memory
    there.backlog += need.threads * expected_s(p, m, p.tasks[task].set, site)
    delay = stage_in_s(p, m, x, task, site)
    if delay > 0.0:
        schedule(x, x.run[0].clock + delay, p.flow[0].tasks + task)
    else:
        arrive(p, m, x, task)


@inline
def arrive(p: Any, m: Any, x: Any, task: int) -> None:
    """Queue a task whose input has arrived; start it if it is first and fits."""
    there = x.sites[x.tasks[task].site]
    x.tasks[task].after = -1
    if there.head < 0:
        node = find_node(p, m, x, p.tasks[task].set, x.tasks[task].site)
        if node >= 0:
            start(p, m, x, task, node)
            return
        there.head = task
    else:
        x.tasks[there.tail].after = task
    there.tail = task


@inline
def start(p: Any, m: Any, x: Any, task: int, node: int) -> None:
    """Start a task on a node with free capacity for it."""
    need, free = p.sets[p.tasks[task].set], x.nodes[node]
    free.threads -= need.threads
    free.gpus -= need.gpus
    free.memory -= need.memory
    now = x.run[0].clock
    x.tasks[task].start = now
    x.tasks[task].node = node
    schedule(x, now + run_time_s(p, m, x, task, x.tasks[task].site), task)


@inline
def finish_task(p: Any, m: Any, x: Any, task: int) -> None:
    """Finish a task: free its resources, resolve dependencies, start queued tasks that fit."""
    s = p.tasks[task].set
    site, node = x.tasks[task].site, x.tasks[task].node
    need, free, there = p.sets[s], x.nodes[node], x.sites[site]
    x.tasks[task].stop = x.run[0].clock
    free.threads += need.threads
    free.gpus += need.gpus
    free.memory += need.memory
    there.threads -= need.threads
    there.gpus -= need.gpus
    there.memory -= need.memory
    there.backlog -= need.threads * expected_s(p, m, s, site)
    if len(m.slowness) == 1:
        for c in range(p.flow[0].classes):
            x.classes[c].hint = min(x.classes[c].hint, node)
    else:
        x.done_at[s, site] += 1
    x.run[0].left -= 1
    x.run[0].work_left -= x.tasks[task].duration
    x.sets[s].unfinished -= 1
    finish_group_task(p, m, x, need.group)
    if p.flow[0].linked:
        for i in range(p.tasks[task].first_child, p.tasks[task + 1].first_child):
            resolve_dependency(p, x, p.task_child[i])
    while there.head >= 0:
        head = there.head
        spot = find_node(p, m, x, p.tasks[head].set, site)
        if spot < 0:
            break
        there.head = x.tasks[head].after
        start(p, m, x, head, spot)


@inline
def finish_group_task(p: Any, m: Any, x: Any, group: int) -> None:
    """Count an ended task of a group; the last one resolves the dependency of child groups."""
    x.groups[group].left -= 1
    if x.groups[group].left > 0:
        return
    for i in range(p.groups[group].first_child, p.groups[group + 1].first_child):
        child = p.child[i]
        x.groups[child].pending -= 1
        if x.groups[child].pending == 0:
            schedule(x, x.run[0].clock + m.gap_s, 2 * p.flow[0].tasks + child)


@inline
def transfer_s(m: Any, source: int, target: int, size: float) -> float:
    """Return the time to transfer bytes between two sites, s; 0 within one."""
    if source == target:
        return 0.0
    return m.latency[source, target] + size / m.bandwidth[source, target]


@inline
def stage_in_s(p: Any, m: Any, x: Any, task: int, site: int) -> float:
    """Return the time until a task's input is at a site, s; its transfers run in parallel."""
    if len(m.slowness) == 1:
        return 0.0
    s = p.tasks[task].set
    longest = 0.0
    if m.home >= 0 and p.sets[s].input_bytes > 0.0:
        longest = transfer_s(m, m.home, site, p.sets[s].input_bytes)
    for i in range(p.sets[s].first_link, p.sets[s + 1].first_link):
        link = p.links[i]
        if link.bytes <= 0.0:
            continue
        if link.each:
            longest = max(longest, from_share(p, m, x, task, site, link.parent, link.bytes))
        else:
            longest = max(longest, from_set(p, m, x, site, link.parent, link.bytes))
    return longest


@inline
def from_set(p: Any, m: Any, x: Any, site: int, parent: int, size: float) -> float:
    """Return the longest transfer of the bytes, shared by the sites where parent tasks ended."""
    first = p.sets[parent].first_task
    count = p.sets[parent + 1].first_task - first
    if count == 1:
        return transfer_s(m, x.tasks[first].site, site, size)
    longest = 0.0
    for source in range(len(m.slowness)):
        ended = x.done_at[parent, source]
        if ended > 0:
            longest = max(longest, transfer_s(m, source, site, size * ended / count))
    return longest


@inline
def from_share(p: Any, m: Any, x: Any, task: int, site: int, parent: int, size: float) -> float:
    """Return the longest transfer of the bytes, in equal parts of the parent tasks (`each`)."""
    s = p.tasks[task].set
    mine = p.sets[s + 1].first_task - p.sets[s].first_task
    theirs = p.sets[parent + 1].first_task - p.sets[parent].first_task
    j = task - p.sets[s].first_task
    low = j * theirs // mine
    high = max(-(-(j + 1) * theirs // mine), low + 1)
    longest = 0.0
    for i in range(low, high):
        source = x.tasks[p.sets[parent].first_task + i].site
        longest = max(longest, transfer_s(m, source, site, size / (high - low)))
    return longest
