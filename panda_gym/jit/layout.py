"""Where the state of a batch lies; knows shapes and bytes, nothing of grids.

All that belongs to one grid lies in one piece: a step then touches a few pages of memory, not one
an array, and one number tells where any part of the next grid lies. What is used together (a
site's records, a job's) lies side by side, on cache lines of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Final, NamedTuple

import numpy as np

Array = np.ndarray
LINE: Final = 64
"""Bytes of a cache line."""
SPREAD: Final = 619
"""Lines by which the pieces of neighbours are apart, modulo 1,024: far from each other in a cache
that finds lines by their low bits."""


class Part(NamedTuple):
    """Arrays of one length whose elements lie side by side."""

    length: int | None
    """Elements of each grid; None: one, and no axis for it."""
    kinds: Mapping[str, tuple[np.dtype, tuple[int, ...]]]
    """Type and shape of one element of each array, by name, in order."""
    step: int = 0
    """Bytes between two elements; 0: no more than they need."""

    def size(self) -> int:
        """Bytes between two elements."""
        return self.step or sum(kind.itemsize * prod(shape) for kind, shape in self.kinds.values())


def aligned(size: int) -> Array:
    """So many bytes of zeros that begin on a cache line, uint8[size]."""
    memory = np.zeros(size + LINE, np.uint8)
    return memory[-memory.ctypes.data % LINE :][:size]


def whole_lines(size: int) -> int:
    """The least number of bytes, at least `size`, that fills cache lines."""
    return -(-size // LINE) * LINE


def lay_out(batch: int, parts: list[Part]) -> tuple[Array, int, dict[str, Array]]:
    """Zeros for all parts of `batch` grids: the memory, uint8[...], the bytes from one grid to the
    next, and each array, [batch, length, *shape]."""
    places, size = [], 0
    for part in parts:
        places.append(size)
        size += whole_lines(part.size() * (1 if part.length is None else part.length))
    lines = size // LINE
    stride = (lines + (SPREAD - lines) % 1024) * LINE
    memory = aligned(batch * stride)
    found: dict[str, Array] = {}
    for part, place in zip(parts, places, strict=True):
        axes = ((batch, stride), *([] if part.length is None else [(part.length, part.size())]))
        for name, (kind, shape) in part.kinds.items():
            found[name] = _view(memory, place, axes, kind, shape)
            place += kind.itemsize * prod(shape)
    return memory, stride, found


def _view(
    memory: Array,
    place: int,
    axes: tuple[tuple[int, int], ...],
    kind: np.dtype,
    shape: tuple[int, ...],
) -> Array:
    """The array from a byte of the memory on; axes: lengths and strides of the first ones."""
    inner = np.empty(shape, kind).strides
    lengths, strides = zip(*axes, strict=True)
    return np.ndarray((*lengths, *shape), kind, memory.data, place, (*strides, *inner))


class Place(NamedTuple):
    """Where an array lies in a memory."""

    first: int
    """Its first byte."""
    shape: tuple[int, ...]
    kind: np.dtype
    strides: tuple[int, ...]

    def of(self, memory: Array) -> Array:
        """The array that lies there in a memory."""
        return np.ndarray(self.shape, self.kind, memory.data, self.first, self.strides)


def place_of(part: Array, memory: Array) -> Place:
    """Where an array lies in the memory that it belongs to."""
    first = part.ctypes.data - memory.ctypes.data
    return Place(first, part.shape, part.dtype, part.strides)
