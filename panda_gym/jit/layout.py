"""Memory layout of the arrays of a batch.

All arrays of one grid lie in one piece of memory. A step then touches a few pages, not one for
each array, and one stride leads from each array to that of the next grid. Arrays of one group,
such as the records of a site, lie element beside element, on cache lines of their own.
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
"""Lines between the pieces of neighbouring grids, modulo 1,024: they fall into different sets of
a cache that is indexed by the low bits of a line's address."""


class ArrayGroup(NamedTuple):
    """Arrays of one length whose elements lie side by side."""

    length: int | None
    """Elements of each grid; None: one, and no axis for it."""
    elements: Mapping[str, tuple[np.dtype, tuple[int, ...]]]
    """Type and shape of one element of each array, by name, in order."""
    step: int = 0
    """Bytes between two elements; 0: no more than they need."""

    def size(self) -> int:
        """Return the bytes between two elements."""
        needed = sum(kind.itemsize * prod(shape) for kind, shape in self.elements.values())
        return self.step or needed


def aligned_zeros(size: int) -> Array:
    """Return zeros that begin on a cache line, uint8[size]."""
    memory = np.zeros(size + LINE, np.uint8)
    return memory[-memory.ctypes.data % LINE :][:size]


def round_to_lines(size: int) -> int:
    """Return the least number of bytes, at least `size`, that fills cache lines."""
    return -(-size // LINE) * LINE


def allocate(batch: int, groups: list[ArrayGroup]) -> tuple[Array, int, dict[str, Array]]:
    """Return zeros for all groups of `batch` grids.

    That is: the memory, uint8[...]; the bytes from one grid to the next; and each array by name,
    [batch, length, *shape].
    """
    offsets, size = [], 0
    for group in groups:
        offsets.append(size)
        size += round_to_lines(group.size() * (1 if group.length is None else group.length))
    lines = size // LINE
    stride = (lines + (SPREAD - lines) % 1024) * LINE
    memory = aligned_zeros(batch * stride)
    found: dict[str, Array] = {}
    for group, offset in zip(groups, offsets, strict=True):
        axes = ((batch, stride), *([] if group.length is None else [(group.length, group.size())]))
        for name, (kind, shape) in group.elements.items():
            found[name] = _view(memory, offset, axes, kind, shape)
            offset += kind.itemsize * prod(shape)
    return memory, stride, found


def _view(
    memory: Array,
    offset: int,
    axes: tuple[tuple[int, int], ...],
    kind: np.dtype,
    shape: tuple[int, ...],
) -> Array:
    """Return the array at an offset; axes: lengths and strides of the first ones."""
    packed = np.empty(shape, kind).strides
    lengths, strides = zip(*axes, strict=True)
    return np.ndarray((*lengths, *shape), kind, memory.data, offset, (*strides, *packed))


class ArrayLocation(NamedTuple):
    """Where an array lies in a memory."""

    offset: int
    """Its first byte."""
    shape: tuple[int, ...]
    kind: np.dtype
    strides: tuple[int, ...]

    def of(self, memory: Array) -> Array:
        """Return the array that lies there in a memory."""
        return np.ndarray(self.shape, self.kind, memory.data, self.offset, self.strides)


def location_of(array: Array, memory: Array) -> ArrayLocation:
    """Return where an array lies in the memory that it belongs to."""
    offset = array.ctypes.data - memory.ctypes.data
    return ArrayLocation(offset, array.shape, array.dtype, array.strides)
