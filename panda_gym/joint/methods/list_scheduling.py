"""List scheduling with data: the longest job first, at its earliest finish with its best stores."""

from __future__ import annotations

from typing import Any

import numpy as np

from panda_gym.errors import InstanceError
from panda_gym.jit.compiled import no_inline
from panda_gym.joint.instance import Instance
from panda_gym.joint.methods.compiled import entry
from panda_gym.joint.methods.moves import put, release_and_hold
from panda_gym.joint.methods.problem import (
    State,
    empty_state,
    problem_of,
    read_problem,
    read_state,
    schedule_of,
    tables_of,
)
from panda_gym.joint.methods.search import Search

Array = np.ndarray
INFINITY = np.inf


def list_scheduling(instance: Instance, seed: int, search: Search) -> None:
    """Offer the list schedule; the seed is not used.

    With quotas that the greedy choice of stores cannot keep, datasets are packed first.
    """
    search.offer(instance, schedule_of(instance, list_state(instance)))
    search.done += 1


def list_state(instance: Instance) -> State:
    """Return the state of the list schedule; InstanceError if no packing of the data is found."""
    problem = problem_of(instance)
    order = np.argsort(-problem.work, kind="stable")
    state = empty_state(instance)
    if not run_list(*tables_of(problem, state), order):
        state = empty_state(instance, packed_stores(instance))
        run_list(*tables_of(problem, state), order)
    return state


def packed_stores(instance: Instance) -> Array:
    """Return a store for each dataset, the largest first, where most room is; int64[D].

    InstanceError if that exceeds a quota: such an instance has no placement, or a hard one.
    """
    room, store = instance.quota.copy(), np.zeros(instance.datasets, np.int64)
    for data in np.argsort(-instance.size, kind="stable"):
        store[data] = np.argmax(room)
        room[store[data]] -= instance.size[data]
    if (room < 0.0).any():
        came = "a packing of the largest first that exceeds one"
        raise InstanceError("quotas that datasets can be packed into", came, "raise quotas")
    return store


@no_inline
def best_store(p: Any, s: Any, data: int, node: int, free: float) -> int:
    """Return the store with room from which a free node has a dataset first; -1: no room."""
    if s.store[data] >= 0:
        return s.store[data]
    best, best_end = -1, INFINITY
    for store in range(p.local.shape[1]):
        arrival = p.size[data] * p.remote[p.source[data], store]
        end = max(arrival, free) + p.size[data] * p.local[node, store]
        if end < best_end and s.room[store] >= p.size[data]:
            best, best_end = store, end
    return best


@no_inline
def finish(p: Any, s: Any, job: int, node: int) -> float:
    """Return when a job would end as the last of a node; infinity if its data have no room."""
    start = s.end[node]
    for k in range(p.first[job], p.first[job + 1]):
        data = p.inputs[k]
        store = best_store(p, s, data, node, s.end[node])
        if store < 0:
            return INFINITY
        arrival = p.size[data] * p.remote[p.source[data], store]
        start = max(start, max(arrival, s.end[node]) + p.size[data] * p.local[node, store])
    return start + p.work[job] * p.slowness[node]


@no_inline
def store_inputs(p: Any, s: Any, job: int, node: int) -> bool:
    """Place those inputs of a job that have no store; return False if one has no room."""
    for k in range(p.first[job], p.first[job + 1]):
        data = p.inputs[k]
        if s.store[data] < 0:
            store = best_store(p, s, data, node, s.end[node])
            if store < 0:
                return False
            s.store[data] = store
            s.room[store] -= p.size[data]
    return True


@entry
def run_list(problem: Any, state: Any, order: Any) -> bool:
    """Schedule all jobs in an order; return False if a dataset finds no room."""
    p, s = read_problem(problem), read_state(state)
    for k in range(len(order)):
        job, best, best_end = order[k], -1, INFINITY
        for node in range(len(p.slowness)):
            end = finish(p, s, job, node)
            if end < best_end:
                best, best_end = node, end
        if best < 0 or not store_inputs(p, s, job, best):
            return False
        release, hold = release_and_hold(p, s, job, best)
        s.end[best] = max(s.end[best], release) + hold
        put(s, job, best, release, hold)
    for data in range(len(p.size)):  # those that no job reads
        if s.store[data] < 0:
            s.store[data] = best_store(p, s, data, 0, 0.0)
            if s.store[data] < 0:
                return False
            s.room[s.store[data]] -= p.size[data]
    return True
