"""Local search over nodes of jobs and stores of datasets, by simulated annealing on lateness.

A target below the best makespan is set, and the sum over the nodes of the time by which they are
late is annealed (Kirkpatrick, Gelatt and Vecchi 1983). Once no node is late, the target falls.
A move sends a job to another node, swaps two jobs, or sends a dataset to another store.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from panda_gym.jit.compiled import inline, no_inline
from panda_gym.jit.counter_rng import STEP, scramble, unit
from panda_gym.joint.instance import Instance
from panda_gym.joint.lower_bound import relaxation, simple_bound
from panda_gym.joint.methods.compiled import entry
from panda_gym.joint.methods.list_scheduling import list_state
from panda_gym.joint.methods.moves import (
    end_with,
    end_without,
    put,
    release_and_hold,
    set_end,
    set_store,
    take,
)
from panda_gym.joint.methods.problem import (
    Problem,
    State,
    problem_of,
    read_problem,
    read_state,
    schedule_of,
    tables_of,
)
from panda_gym.joint.methods.search import Search

CHUNK: Final = 20_000
"""Moves between two looks at the clock."""
STAGE: Final = (500, 100_000)
"""Moves of a stage: so many a job, and at least so many."""
HOT, COLD = 0.02, 0.0002
"""First and last temperature of a stage, over the mean time that a job holds its node."""
GAIN: Final = (0.5, 0.02)
"""First and least part of the way from the best makespan to a simple bound that a target takes."""
DATA_SHARE = 0.15
SWAP_SHARE = 0.5
"""Share of moves that are moves of datasets, and of others that are swaps."""


def local_search(instance: Instance, seed: int, search: Search) -> None:
    """Improve the list schedule until the budget is spent or the bound is reached."""
    problem, state = problem_of(instance), list_state(instance)
    search.offer(instance, schedule_of(instance, state))
    best, gain = _copy(state), GAIN[0]
    length = max(STAGE[0] * instance.jobs, STAGE[1])
    simple_s = simple_bound(relaxation(instance, instance.jobs))
    search.stop_at_s = max(search.stop_at_s, simple_s)
    while search.goes_on():
        target = search.makespan_s - gain * (search.makespan_s - search.stop_at_s)
        if _stage(instance, problem, state, search, seed, target, length):
            best, gain = _copy(state), min(1.5 * gain, GAIN[0])
            continue
        state = _copy(best)
        gain = gain / 2.0 if gain > GAIN[1] else GAIN[0]
        length += length if gain == GAIN[0] else 0


def _stage(
    instance: Instance, p: Problem, s: State, search: Search, seed: int, target: float, length: int
) -> bool:
    """Anneal once; return whether every node is in time, and offer the schedule if so."""
    tables = tables_of(p, s)
    mark_late(*tables, target)
    begin, end = search.done, search.done + length
    scale = float(s.hold.mean())
    while search.done < end and s.lates[0] and search.goes_on():
        stop = min(search.done + CHUNK, end)
        if search.steps is not None:
            stop = min(stop, search.steps)
        heat = (HOT * scale, COLD * scale, begin, end)
        search.done = int(anneal(*tables, np.uint64(seed), search.done, stop, target, heat))
    return not s.lates[0] and search.offer(instance, schedule_of(instance, s))


def _copy(state: State) -> State:
    return State(*(array.copy() for array in state))


@entry
def mark_late(problem: Any, state: Any, target: float) -> None:
    """Note the end of every node, and which are late."""
    s = read_state(state)
    s.lates[0] = 0
    for node in range(len(s.end)):
        s.late_at[node] = -1
        set_end(s, node, end_without(s, node, -1), target)


@inline
def draw(key: Any, move: int, which: int) -> float:
    """Return a number in [0, 1): draw `which`, below 8, of a move."""
    return unit(scramble(key + STEP * np.uint64(8 * move + which + 1)))


@inline
def late(end: float, target: float) -> float:
    """Return the time by which a node is late, s."""
    return max(0.0, end - target)


@inline
def accepts(change: float, heat: float, number: float) -> bool:
    """Return whether a change of lateness is taken at a temperature (Metropolis et al. 1953)."""
    return change <= 0.0 or number < math.exp(-change / heat)


@no_inline
def pick_job(s: Any, key: Any, move: int) -> int:
    """Return a random job, of a late node every second time."""
    if draw(key, move, 0) < 0.5 and s.lates[0] > 0:
        node = s.late[int(draw(key, move, 1) * s.lates[0])]
        if s.filled[node] > 0:
            return s.queue[node, int(draw(key, move, 2) * s.filled[node])]
    return int(draw(key, move, 2) * len(s.node))


@no_inline
def relocate(
    p: Any, s: Any, job: int, node: int, target: float, heat: float, number: float
) -> None:
    """Send a job to another node if that is accepted."""
    home = s.node[job]
    release, hold = release_and_hold(p, s, job, node)
    here, there = end_without(s, home, job), end_with(s, node, -1, release, hold)
    change = late(here, target) + late(there, target)
    change -= late(s.end[home], target) + late(s.end[node], target)
    if accepts(change, heat, number):
        take(s, job)
        put(s, job, node, release, hold)
        set_end(s, home, here, target)
        set_end(s, node, there, target)


@no_inline
def swap(p: Any, s: Any, job: int, other: int, target: float, heat: float, number: float) -> None:
    """Swap the nodes of two jobs if that is accepted."""
    home, node = s.node[job], s.node[other]
    release, hold = release_and_hold(p, s, job, node)
    other_release, other_hold = release_and_hold(p, s, other, home)
    here = end_with(s, home, job, other_release, other_hold)
    there = end_with(s, node, other, release, hold)
    change = late(here, target) + late(there, target)
    change -= late(s.end[home], target) + late(s.end[node], target)
    if accepts(change, heat, number):
        take(s, job)
        take(s, other)
        put(s, job, node, release, hold)
        put(s, other, home, other_release, other_hold)
        set_end(s, home, here, target)
        set_end(s, node, there, target)


@no_inline
def move_data(p: Any, s: Any, data: int, store: int, target: float, heat: float, n: float) -> None:
    """Send a dataset to another store if that is accepted; else take it back."""
    home, change = s.store[data], 0.0
    set_store(p, s, data, store)
    first, last = p.reader_first[data], p.reader_first[data + 1]
    for k in range(first, last):
        node = s.node[p.readers[k]]
        s.kept[0, k - first] = s.end[node]
        end = end_without(s, node, -1)
        change += late(end, target) - late(s.end[node], target)
        s.end[node] = end
    accepted = accepts(change, heat, n)
    if not accepted:
        set_store(p, s, data, home)
    for k in range(last - 1, first - 1, -1):
        node = s.node[p.readers[k]]
        set_end(s, node, s.end[node] if accepted else s.kept[0, k - first], target)


@no_inline
def one_move(p: Any, s: Any, key: Any, move: int, target: float, heat: float) -> None:
    """Try one random move."""
    job, number = pick_job(s, key, move), draw(key, move, 3)
    kind, choice = draw(key, move, 4), draw(key, move, 5)
    if kind < DATA_SHARE:
        inputs = p.first[job + 1] - p.first[job]
        data = p.inputs[p.first[job] + int(choice * inputs)]
        store = int(draw(key, move, 6) * p.local.shape[1])
        if store != s.store[data] and s.room[store] >= p.size[data]:
            move_data(p, s, data, store, target, heat, number)
    elif kind < DATA_SHARE + (1.0 - DATA_SHARE) * SWAP_SHARE:
        other = int(choice * len(s.node))
        if s.node[other] != s.node[job]:
            swap(p, s, job, other, target, heat, number)
    else:
        node = int(choice * len(s.end))
        if node != s.node[job]:
            relocate(p, s, job, node, target, heat, number)


@entry
def anneal(
    problem: Any, state: Any, seed: Any, move: int, stop: int, target: float, heat: Any
) -> int:
    """Try the moves from `move` to `stop`, until no node is late; return the next move.

    heat: first and last temperature of the stage, s, and its first and last move.
    """
    p, s = read_problem(problem), read_state(state)
    key = scramble(seed)
    hot, cold, begin, end = heat
    while move < stop and s.lates[0] > 0:
        part = (move - begin) / (end - begin)
        one_move(p, s, key, move, target, hot * math.exp(part * math.log(cold / hot)))
        move += 1
    return move
