"""The plain mode: ordinary `njit`, without internals of numba or llvmlite.

Everything used here is in numba's documented interface for extensions. Kernels give the same
results as in the linked mode bit for bit, at about half the speed, and take longer to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic, models, overload_attribute, register_model
from numpy.lib.stride_tricks import as_strided

from panda_gym.jit.fields import Field, words_of

MODE: Final = "plain"
WORD: Final = ir.IntType(64)

inline: Any = njit(error_model="numpy", nogil=True)
"""Compile a function that compiled ones call; LLVM decides what to inline."""

no_inline = inline

address_table: Final = words_of
"""Return the table of a named tuple, int64[words]."""


def entry(function: Callable[..., Any], *, cache: bool) -> Any:
    """Compile a function that Python calls."""
    return njit(error_model="numpy", nogil=True, cache=cache)(function)


@inline
def prefetch(thing: Any) -> None:
    """Do nothing: only the linked mode can ask for memory ahead."""


@inline
def lowest_bit(word: Any) -> int:
    """Return the number of the lowest bit that is 1 in a uint64 that is not 0."""
    found = 0
    for width in (32, 16, 8, 4, 2, 1):
        if word & ((np.uint64(1) << np.uint64(width)) - np.uint64(1)) == np.uint64(0):
            word >>= np.uint64(width)
            found += width
    return found


@intrinsic
def _pointer(typingcontext: Any, address: Any) -> Any:
    """Return an address as a pointer."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), code


@intrinsic
def _real(typingcontext: Any, word: Any) -> Any:
    """Return the float64 with the bits of a word."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), code


@intrinsic
def _word(typingcontext: Any, table: Any, place: Any) -> Any:
    """Return one word of a table, whose words no kernel writes."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words = builder.inttoptr(arguments[0], WORD.as_pointer())
        found = builder.load(builder.gep(words, [arguments[1]]))
        found.set_metadata("invariant.load", builder.module.add_metadata([]))
        return found

    return types.int64(table, types.int64), code


@inline
def _one(table: Any, place: int) -> Any:
    return (_word(table, place),)


@inline
def _two(table: Any, place: int) -> Any:
    return _word(table, place), _word(table, place + 1)


@inline
def _three(table: Any, place: int) -> Any:
    return _word(table, place), _word(table, place + 1), _word(table, place + 2)


@inline
def _four(table: Any, place: int) -> Any:
    first, second = _two(table, place), _two(table, place + 2)
    return first[0], first[1], second[0], second[1]


WORDS: Final = {1: _one, 2: _two, 3: _three, 4: _four}
"""Functions that return so many words of a table as a tuple."""


def reader(name: str, fields: Mapping[str, Field]) -> Any:
    """Return a compiled function from a table to a value with these fields as attributes."""

    class Table(types.Type):
        """The type of an address table."""

        def __init__(self) -> None:
            super().__init__(name=name)

    class TableModel(models.PrimitiveModel):
        """The table's address."""

        def __init__(self, manager: Any, kind: Any) -> None:
            super().__init__(manager, kind, WORD)

    register_model(Table)(TableModel)
    for field_name, field in fields.items():
        overload_attribute(Table, field_name)(_constant(_getter(field)))
    point = _pointing(Table())

    @inline
    def read(table: Any) -> Any:
        return point(table.ctypes.data)

    return read


def _pointing(kind: Any) -> Any:
    """Return an intrinsic from the address of a table to a value of this type."""

    def point(typingcontext: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return arguments[0]

        return kind(types.uintp), code

    return intrinsic(point)


def _constant(get: Any) -> Any:
    """Return the function that numba asks for the getter of a field."""

    def overload(table: Any) -> Any:
        return get

    return overload


def _getter(field: Field) -> Any:
    """Return what reads a field of a table."""
    if field.dimensions == 0:
        return _get_real(field.place) if field.dtype.kind == "f" else _get_integer(field.place)
    return _get_packed(field) if field.step is None else _get_strided(field)


def _get_real(place: int) -> Any:
    def get(table: Any) -> Any:
        return _real(_word(table, place))

    return get


def _get_integer(place: int) -> Any:
    def get(table: Any) -> Any:
        return _word(table, place)

    return get


def _get_packed(field: Field) -> Any:
    dtype, place, words = field.dtype, field.place, WORDS[field.dimensions]

    def get(table: Any) -> Any:
        return carray(_pointer(_word(table, place)), words(table, place + 1), dtype)

    return get


def _get_strided(field: Field) -> Any:
    dtype, place, strides, words = field.dtype, field.place, field.strides, WORDS[field.dimensions]

    def get(table: Any) -> Any:
        element = carray(_pointer(_word(table, place)), (1,), dtype)
        return as_strided(element, words(table, place + 1), words(table, strides))

    return get
