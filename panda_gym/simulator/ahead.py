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

from panda_gym.simulator.compiled import inner
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
def fetch_first(w: Any, e: int) -> None:
    """Four grids ahead: where the grid stands, and which jobs are to be placed."""
    _fetch(w.grids[e])
    _fetch(w.turn[e])
    _fetch(w.events[e])
    _fetch(w.outcome[e, 0])


@inner
def fetch_second(w: Any, e: int, site: int) -> None:
    """Three grids ahead: the job, the site it goes to, the heads of what is ordered by time."""
    j, n, rules = w.turn[e, 0], len(w.places), w.rules[0]
    cursor = min(w.grids[e]["cursor"] + 1, w.jobs.shape[1] - 1)
    _fetch(w.jobs[e, j])
    _fetch(w.jobs[e, cursor])
    _fetch(w.tracks[e, j])
    _fetch(w.attempts[e, j])
    _fetch(w.mask[e, 0])
    if 0 <= site < n:
        _fetch(w.sites[e, site])
        _fetch(w.gates[e, site])
        _fetch(w.heap[e, w.places[site]["first_run"]])
        for row in range(w.seen.shape[1] - 1):
            _fetch(w.seen[e, row, site:])
    if rules["level"] > 0:
        _fetch(w.flows[e, j])
        _fetch(w.flow_heap[e, 0])
    if rules["storage"] + rules["level"] > 0 and 0 <= site < n:
        _fetch(w.stores[e, site])
    if rules["attempts"] > 1:
        _fetch(w.heap[e, rules["first_return"]])
    _fetch(w.heap[e, w.first_staged])
    block = 0
    for other in range(1, w.blocks):
        block = other if w.events[e, other] < w.events[e, block] else block
    _fetch(w.events[e, w.blocks + block * BLOCK :])


@inner
def fetch_third(w: Any, e: int) -> None:
    """Two grids ahead: the dataset of the job, the site of the next event, who ends next."""
    rules, events, block = w.rules[0], w.events[e], 0
    for other in range(1, w.blocks):
        block = other if events[other] < events[block] else block
    s = block * BLOCK
    while events[w.blocks + s] != events[block]:
        s += 1
    _fetch(w.sites[e, s])
    first = w.heap[e, w.places[s]["first_run"]]["job"]
    _fetch(w.tracks[e, first])
    _fetch(w.attempts[e, first])
    if rules["storage"] > 0:
        _fetch(w.datasets[e, w.jobs[e, w.turn[e, 0]]["dataset"]])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        _fetch(w.flows[e, flow])
        _fetch(w.tracks[e, flow])
        _fetch(w.attempts[e, flow])


@inner
def fetch_fourth(w: Any, e: int) -> None:
    """One grid ahead: where the input of the job lies, and the ends of the next flow to end."""
    rules = w.rules[0]
    if rules["storage"] > 0:
        _fetch(w.pool[e, w.datasets[e, w.jobs[e, w.turn[e, 0]]["dataset"]]["first"]])
    if rules["level"] > 0:
        flow = w.flow_heap[e, 0]["job"]
        _fetch(w.stores[e, w.flows[e, flow]["source"]])
        _fetch(w.stores[e, w.tracks[e, flow]["site"]])
        if rules["storage"] > 0:
            _fetch(w.pool[e, w.attempts[e, flow]["replica"]])
