"""A kernel that takes seconds to compile, and uses all that `panda_gym.jit` offers.

    python -m tests.panda_gym.jit.small_kernel

prints the mode, and one number for every part.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

from panda_gym.jit.address_table import AddressTable
from panda_gym.jit.compiled import MODE, entry_decorator, inline, lowest_bit, no_inline, prefetch
from panda_gym.jit.counter_rng import bits, unit
from panda_gym.jit.heap import pop, push
from panda_gym.jit.layout import ArrayGroup, allocate

Array = np.ndarray
ENTRY = np.dtype([("time", "f8"), ("job", "i8")], align=True)
PAIR = np.dtype([("a", "f8"), ("b", "i4")], align=True)


class Numbers(NamedTuple):
    """Every kind of field."""

    count: int
    factor: float
    weights: Annotated[Array, "f8", 1]
    square: Annotated[Array, "i4", 2]
    stride: int
    size: int
    one: Annotated[Array, PAIR, 1, 0]
    heap: Annotated[Array, ENTRY, 2, 0]
    pairs: Annotated[Array, PAIR, 2, 64]
    cubes: Annotated[Array, "i2", 3, 64]
    words: Annotated[Array, "u8", 4, "size"]


NUMBERS = AddressTable(Numbers)
numbers_of = NUMBERS.read


def make_numbers() -> Numbers:
    """Two grids of five elements."""
    parts = [
        ArrayGroup(None, {"one": (PAIR, ())}),
        ArrayGroup(9, {"heap": (ENTRY, ())}),
        ArrayGroup(5, {"pairs": (PAIR, ()), "cubes": (np.dtype("i2"), (3,))}, 64),
        ArrayGroup(5, {"words": (np.dtype("u8"), (2, 3))}, 128),
    ]
    _, stride, state = allocate(2, parts)
    state["cubes"][:] = np.arange(30).reshape(2, 5, 3)
    state["words"][:] = np.uint64(1) << np.arange(60, dtype=np.uint64).reshape(2, 5, 2, 3)
    state["pairs"]["a"] = np.arange(10.0).reshape(2, 5)
    square = np.arange(12, dtype=np.int32).reshape(3, 4)
    return Numbers(7, 0.25, np.arange(3.0) / 3.0, square, stride, 128, **state)


@no_inline
def sorted_draws(n: Any, e: int) -> float:
    """Push random numbers on a heap, pop them, and weigh them by their rank."""
    for job in range(8):
        push(n.heap[e], 0, job, unit(bits(e, job, 3)), job)
    total = 0.0
    for size in range(8, 0, -1):
        total += size * unit(bits(e, pop(n.heap[e], 0, size), 3))
    return total


@inline
def sums(n: Any, e: int) -> float:
    """Sum over arrays of two to four dimensions, by elements and by rows."""
    total = 0.0
    for i in range(n.pairs.shape[1]):
        prefetch(n.pairs[e, i])
        total += n.pairs[e, i]["a"] * n.cubes[e, i, 2]
        row = n.words[e, i, 1]
        for k in range(len(row)):
            total += n.factor * lowest_bit(row[k])
    n.one[e]["b"] += 1
    return total + n.square[2, 1] + n.weights[2]


@entry_decorator(Path(__file__).parent)
def run(table: Any, out: Any) -> int:
    """Write two sums a grid; return the field `count`."""
    n = numbers_of(table)
    for e in range(2):
        out[e, 0], out[e, 1] = sorted_draws(n, e), sums(n, e)
    return n.count


def result() -> str:
    """What the kernel returns and writes, to the last bit."""
    numbers, out = make_numbers(), np.zeros((2, 2))
    with np.errstate(over="ignore"):  # 64-bit hashes wrap around by design
        count = run(NUMBERS.of(numbers), out)
    return f"{count} {[x.hex() for x in out.ravel().tolist()]} {numbers.one['b'].tolist()}"


if __name__ == "__main__":
    print(MODE, result())
