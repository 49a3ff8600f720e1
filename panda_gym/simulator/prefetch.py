"""Memory that the grids behind will need, fetched while this one is at work; changes nothing.

A batch's state is larger than a core's own cache, and a grid touches some forty lines of it that
no prefetcher of the machine can guess: a step would spend most of its time waiting for them one
by one. What a step will touch is known, though: the job to be placed, the site of the action,
the next event. It is asked for in four rounds, each of which reads what the one before fetched.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from panda_gym.jit.compiled import inner
from panda_gym.simulator.state import BLOCK

LINE: Final = 64
"""Bytes of a cache line."""


def _ask(builder: Any, pointer: Any, lines: int) -> None:
    """Prefetch `lines` cache lines from `pointer` on, to be read and written."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    first = builder.bitcast(pointer, byte)
    for k in range(lines):
        line = builder.gep(first, [ir.IntType(64)(k * LINE)])
        builder.call(prefetch, [line, number(1), number(3), number(1)])


def _prefetch(typingcontext: Any, thing: Any) -> Any:
    """Prefetch a record, or the first line of an array."""
    record = isinstance(thing, types.Record)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = arguments[0]
        if not record:
            pointer = make_array(signature.args[0])(context, builder, pointer).data
        _ask(builder, pointer, -(-thing.size // LINE) if record else 1)
        return context.get_dummy_value()

    return types.void(thing), code


def _nothing(thing: Any) -> None:
    """Python does not say where things lie."""


_fetch: Any = _nothing if config.DISABLE_JIT else intrinsic(_prefetch)


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
    _fetch(w.jobs[e, j])
    _fetch(w.tracks[e, j])
    _fetch(w.attempts[e, j])


@inner
def fetch_site(w: Any, e: int, s: int) -> None:
    """A site, what runs there first, and where its next event stands."""
    _fetch(w.sites[e, s])
    _fetch(w.heap[e, w.places[s]["first_run"]])
    _fetch(w.events[e, w.blocks + (s // BLOCK) * BLOCK :])
    _fetch(w.events[e, w.blocks + (s // BLOCK) * BLOCK + 8 :])
    _fetch(w.stores[e, s])


@inner
def fetch_dataset(w: Any, e: int, j: int) -> None:
    """The dataset that job j reads."""
    d = w.jobs[e, j]["dataset"]
    _fetch(w.datasets[e, d])
    _fetch(w.holders[e, d, 2])


@inner
def fetch_replica(w: Any, e: int, r: int) -> None:
    """A replica, if there is one."""
    _fetch(w.pool[e, max(r, 0)])


@inner
def fetch_first(w: Any, e: int) -> None:
    """Five grids ahead: where the grid stands, and which jobs are to be placed."""
    _fetch(w.grids[e])
    _fetch(w.turn[e])
    _fetch(w.leaders[e])
    _fetch(w.events[e, 3:])
    _fetch(w.outcome[e, 0])
    if w.rules[0]["level"] > 0:
        _fetch(w.flow_heap[e, 0])


@inner
def fetch_second(w: Any, e: int, site: int) -> None:
    """Four grids ahead: the job, the site it goes to, the site of the next event."""
    rules, s = w.rules[0], site if 0 <= site < len(w.places) else 0
    fetch_job(w, e, job_at_hand(w, e))
    _fetch(w.jobs[e, next_job(w, e)])
    fetch_site(w, e, s)
    fetch_site(w, e, w.grids[e]["next_site"])
    _fetch(w.queue[e, 0, s:])
    _fetch(w.queue[e, 1, s:])
    for k in range(0, w.mask.shape[2], 64):
        _fetch(w.mask[e, 0, k:])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        _fetch(w.flows[e, job_at_hand(w, e)])
        _fetch(w.flows[e, flow])
        fetch_job(w, e, flow)
    else:
        _fetch(w.heap[e, w.first_staged])
    if rules["attempts"] > 1:
        _fetch(w.heap[e, rules["first_return"]])
    if rules["limits"] > 0:
        _fetch(w.attempts[e, max(w.grids[e]["last_assigned"], 0)])
        _fetch(w.attempts[e, max(w.grids[e]["last_activated"], 0)])


@inner
def fetch_third(w: Any, e: int, site: int) -> None:
    """Three grids ahead: the dataset of the job, who ends next, where flows end."""
    rules, s, other = w.rules[0], site if 0 <= site < len(w.places) else 0, w.grids[e]["next_site"]
    first = w.places[other]["first_run"]
    _fetch(w.tracks[e, w.heap[e, first]["job"]])
    _fetch(w.heap[e, first + max(w.sites[e, other]["running"] - 1, 0)])
    _fetch(w.heap[e, w.places[s]["first_run"] + w.sites[e, s]["running"]])
    if rules["storage"] > 0:
        fetch_dataset(w, e, job_at_hand(w, e))
        fetch_dataset(w, e, next_job(w, e))
        fetch_replica(w, e, w.stores[e, s]["newest"])
        fetch_replica(w, e, w.stores[e, other]["newest"])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        _fetch(w.stores[e, w.flows[e, flow]["source"]])
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
            _fetch(w.stores[e, max(source, 0)])
        row = max(w.datasets[e, w.jobs[e, next_job(w, e)]["dataset"]]["row"], 0)
        for k in range(0, w.soon.shape[2], 16):
            _fetch(w.soon[e, row, k:])
        for k in range(0, w.near.shape[2], 64):
            _fetch(w.near[e, row, k:])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        s = max(w.tracks[e, flow]["site"], 0)
        _fetch(w.heap[e, w.places[s]["first_run"] + w.sites[e, s]["running"]])
        if rules["storage"] > 0:
            fetch_replica(w, e, w.tracks[e, flow]["replica"])
