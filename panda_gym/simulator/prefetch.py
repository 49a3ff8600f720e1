"""Prefetch of the memory that the next grids of the batch will read; results do not change.

A batch's state is larger than a core's cache. A step of one grid reads about forty cache lines
that the hardware prefetcher cannot predict, so it would mostly wait for memory. The addresses
are known in advance: the job to be placed, the site of the action, the next event. Four rounds
of prefetches, two to five grids ahead, each follow the pointers that the round before fetched.
"""

from __future__ import annotations

from typing import Any

from panda_gym.jit.compiled import inline, prefetch
from panda_gym.simulator.state import BLOCK


@inline
def job_at_hand(w: Any, e: int) -> int:
    """The pending job; row 0 if there is none."""
    return max(w.pending[e, 0], 0)


@inline
def next_job(w: Any, e: int) -> int:
    """The next job of the stream after the pending one."""
    return min(w.grids[e]["cursor"] + 1, w.jobs.shape[1] - 1)


@inline
def fetch_job(w: Any, e: int, j: int) -> None:
    """The three records of a job."""
    prefetch(w.jobs[e, j])
    prefetch(w.job_states[e, j])
    prefetch(w.attempts[e, j])


@inline
def fetch_site(w: Any, e: int, s: int) -> None:
    """A site, the first entry of its heap, and its next event."""
    prefetch(w.sites[e, s])
    prefetch(w.heap[e, w.site_static[s]["first_run"]])
    prefetch(w.next_events[e, w.blocks + (s // BLOCK) * BLOCK :])
    prefetch(w.next_events[e, w.blocks + (s // BLOCK) * BLOCK + 8 :])
    prefetch(w.site_storage[e, s])


@inline
def fetch_dataset(w: Any, e: int, j: int) -> None:
    """The dataset of job j."""
    d = w.jobs[e, j]["dataset"]
    prefetch(w.datasets[e, d])
    prefetch(w.holders[e, d, 2])


@inline
def fetch_replica(w: Any, e: int, r: int) -> None:
    """A replica, if there is one."""
    prefetch(w.pool[e, max(r, 0)])


@inline
def fetch_first(w: Any, e: int) -> None:
    """Five grids ahead: the grid and its pending jobs."""
    prefetch(w.grids[e])
    prefetch(w.pending[e])
    prefetch(w.block_leaders[e])
    prefetch(w.next_events[e, 3:])
    prefetch(w.outcome[e, 0])
    if w.rules[0]["level"] > 0:
        prefetch(w.flow_heap[e, 0])


@inline
def fetch_second(w: Any, e: int, site: int) -> None:
    """Four grids ahead: the job, its site, and the site of the next event."""
    rules, s = w.rules[0], site if 0 <= site < len(w.site_static) else 0
    fetch_job(w, e, job_at_hand(w, e))
    prefetch(w.jobs[e, next_job(w, e)])
    fetch_site(w, e, s)
    fetch_site(w, e, w.grids[e]["next_site"])
    prefetch(w.seen_queue[e, 0, s:])
    prefetch(w.seen_queue[e, 1, s:])
    for k in range(0, w.mask.shape[2], 64):
        prefetch(w.mask[e, 0, k:])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        prefetch(w.flows[e, job_at_hand(w, e)])
        prefetch(w.flows[e, flow])
        fetch_job(w, e, flow)
    else:
        prefetch(w.heap[e, w.first_staged])
    if rules["attempts"] > 1:
        prefetch(w.heap[e, rules["first_return"]])
    if rules["limits"] > 0:
        prefetch(w.attempts[e, max(w.grids[e]["last_assigned"], 0)])
        prefetch(w.attempts[e, max(w.grids[e]["last_activated"], 0)])


@inline
def fetch_third(w: Any, e: int, site: int) -> None:
    """Three grids ahead: the job's dataset, the next end, the ends of the next flow."""
    rules, s, other = (
        w.rules[0],
        site if 0 <= site < len(w.site_static) else 0,
        w.grids[e]["next_site"],
    )
    first = w.site_static[other]["first_run"]
    prefetch(w.job_states[e, w.heap[e, first]["job"]])
    prefetch(w.heap[e, first + max(w.sites[e, other]["running"] - 1, 0)])
    prefetch(w.heap[e, w.site_static[s]["first_run"] + w.sites[e, s]["running"]])
    if rules["storage"] > 0:
        fetch_dataset(w, e, job_at_hand(w, e))
        fetch_dataset(w, e, next_job(w, e))
        fetch_replica(w, e, w.site_storage[e, s]["newest"])
        fetch_replica(w, e, w.site_storage[e, other]["newest"])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        prefetch(w.site_storage[e, w.flows[e, flow]["source"]])
        fetch_site(w, e, max(w.job_states[e, flow]["site"], 0))
        if rules["storage"] > 0:
            fetch_dataset(w, e, flow)


@inline
def fetch_fourth(w: Any, e: int) -> None:
    """Two grids ahead: replicas in use, sources of inputs, the cached row of the next dataset."""
    rules = w.rules[0]
    if rules["storage"] > 0:
        first = w.site_static[w.grids[e]["next_site"]]["first_run"]
        fetch_replica(w, e, w.job_states[e, w.heap[e, first]["job"]]["replica"])
        for k in range(3):
            source = w.datasets[e, w.jobs[e, job_at_hand(w, e)]["dataset"]]["primary"][k]
            prefetch(w.site_storage[e, max(source, 0)])
        row = max(w.datasets[e, w.jobs[e, next_job(w, e)]["dataset"]]["row"], 0)
        for k in range(0, w.read_times.shape[2], 16):
            prefetch(w.read_times[e, row, k:])
        for k in range(0, w.read_closeness.shape[2], 64):
            prefetch(w.read_closeness[e, row, k:])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        s = max(w.job_states[e, flow]["site"], 0)
        prefetch(w.heap[e, w.site_static[s]["first_run"] + w.sites[e, s]["running"]])
        if rules["storage"] > 0:
            fetch_replica(w, e, w.job_states[e, flow]["replica"])
