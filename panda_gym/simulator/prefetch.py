"""Memory that the grids behind will need, fetched while this one is at work; changes nothing.

A batch's state is larger than a core's own cache, and a grid touches some forty lines of it that
no prefetcher of the machine can guess: a step would spend most of its time waiting for them one
by one. What a step will touch is known, though: the job to be placed, the site of the action,
the next event. It is asked for in four rounds, each of which reads what the one before fetched.
"""

from __future__ import annotations

from typing import Any

from panda_gym.jit.compiled import inner, prefetch
from panda_gym.simulator.state import BLOCK


@inner
def job_at_hand(w: Any, e: int) -> int:
    """The job to be placed, or any if there is none."""
    return max(w.turn[e, 0], 0)


@inner
def next_job(w: Any, e: int) -> int:
    """The job that comes after the one to be placed, if none comes back before."""
    return min(w.grids[e]["cursor"] + 1, w.jobs.shape[1] - 1)


@inner
def fetch_job(w: Any, e: int, j: int) -> None:
    """All that is known of a job."""
    prefetch(w.jobs[e, j])
    prefetch(w.tracks[e, j])
    prefetch(w.attempts[e, j])


@inner
def fetch_site(w: Any, e: int, s: int) -> None:
    """A site, what runs there first, and where its next event stands."""
    prefetch(w.sites[e, s])
    prefetch(w.heap[e, w.places[s]["first_run"]])
    prefetch(w.events[e, w.blocks + (s // BLOCK) * BLOCK :])
    prefetch(w.events[e, w.blocks + (s // BLOCK) * BLOCK + 8 :])
    prefetch(w.stores[e, s])


@inner
def fetch_dataset(w: Any, e: int, j: int) -> None:
    """The dataset that job j reads."""
    d = w.jobs[e, j]["dataset"]
    prefetch(w.datasets[e, d])
    prefetch(w.holders[e, d, 2])


@inner
def fetch_replica(w: Any, e: int, r: int) -> None:
    """A replica, if there is one."""
    prefetch(w.pool[e, max(r, 0)])


@inner
def fetch_first(w: Any, e: int) -> None:
    """Five grids ahead: where the grid stands, and which jobs are to be placed."""
    prefetch(w.grids[e])
    prefetch(w.turn[e])
    prefetch(w.leaders[e])
    prefetch(w.events[e, 3:])
    prefetch(w.outcome[e, 0])
    if w.rules[0]["level"] > 0:
        prefetch(w.flow_heap[e, 0])


@inner
def fetch_second(w: Any, e: int, site: int) -> None:
    """Four grids ahead: the job, the site it goes to, the site of the next event."""
    rules, s = w.rules[0], site if 0 <= site < len(w.places) else 0
    fetch_job(w, e, job_at_hand(w, e))
    prefetch(w.jobs[e, next_job(w, e)])
    fetch_site(w, e, s)
    fetch_site(w, e, w.grids[e]["next_site"])
    prefetch(w.queue[e, 0, s:])
    prefetch(w.queue[e, 1, s:])
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


@inner
def fetch_third(w: Any, e: int, site: int) -> None:
    """Three grids ahead: the dataset of the job, who ends next, where flows end."""
    rules, s, other = w.rules[0], site if 0 <= site < len(w.places) else 0, w.grids[e]["next_site"]
    first = w.places[other]["first_run"]
    prefetch(w.tracks[e, w.heap[e, first]["job"]])
    prefetch(w.heap[e, first + max(w.sites[e, other]["running"] - 1, 0)])
    prefetch(w.heap[e, w.places[s]["first_run"] + w.sites[e, s]["running"]])
    if rules["storage"] > 0:
        fetch_dataset(w, e, job_at_hand(w, e))
        fetch_dataset(w, e, next_job(w, e))
        fetch_replica(w, e, w.stores[e, s]["newest"])
        fetch_replica(w, e, w.stores[e, other]["newest"])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        prefetch(w.stores[e, w.flows[e, flow]["source"]])
        fetch_site(w, e, max(w.tracks[e, flow]["site"], 0))
        if rules["storage"] > 0:
            fetch_dataset(w, e, flow)


@inner
def fetch_fourth(w: Any, e: int) -> None:
    """Two grids ahead: replicas in use, where inputs lie, what the next job reads."""
    rules = w.rules[0]
    if rules["storage"] > 0:
        first = w.places[w.grids[e]["next_site"]]["first_run"]
        fetch_replica(w, e, w.tracks[e, w.heap[e, first]["job"]]["replica"])
        for k in range(3):
            source = w.datasets[e, w.jobs[e, job_at_hand(w, e)]["dataset"]]["primary"][k]
            prefetch(w.stores[e, max(source, 0)])
        row = max(w.datasets[e, w.jobs[e, next_job(w, e)]["dataset"]]["row"], 0)
        for k in range(0, w.soon.shape[2], 16):
            prefetch(w.soon[e, row, k:])
        for k in range(0, w.near.shape[2], 64):
            prefetch(w.near[e, row, k:])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        s = max(w.tracks[e, flow]["site"], 0)
        prefetch(w.heap[e, w.places[s]["first_run"] + w.sites[e, s]["running"]])
        if rules["storage"] > 0:
            fetch_replica(w, e, w.tracks[e, flow]["replica"])
