"""The fields of a named tuple of arrays, as kernels read them through a table of addresses.

Passed one by one, forty arrays are some three hundred arguments of every call. They would take
most of the time to compile, and some microseconds a call. So a kernel gets the address of a
table of 64-bit words: for each array its address and its shape, and behind them all strides.

A field's type hint says what it is:

- `int` or `float`: a number, one word;
- `Annotated[Array, dtype, n]`: an array of n dimensions in C order;
- `Annotated[Array, dtype, n, step]`: an array whose first axis has the stride that the field
  `stride` gives in bytes. Along the second axis the stride is `step` bytes, or as many as the
  field of that name gives; 0: no more than an element needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_type_hints

import numpy as np

Array = np.ndarray


class Field(NamedTuple):
    """What a field is, and where it stands in the table."""

    dtype: np.dtype
    dimensions: int
    """0: a number."""
    place: int
    """Its first word: the number, or the address, with the shape behind it."""
    strides: int
    """First word of its strides in bytes; they stand behind the words of all fields."""
    step: int | str | None
    """Bytes between neighbours along the second axis, or the field that holds them; 0: packed;
    None: the whole array is in C order."""


def fields_of(kind: type) -> dict[str, Field]:
    """Return the fields of a named tuple class in order."""
    hints = get_type_hints(kind, include_extras=True)
    kinds = {name: _kind_of(hint) for name, hint in hints.items()}
    place, strides = 0, sum(1 + dimensions for _, dimensions, _ in kinds.values())
    found: dict[str, Field] = {}
    for name, (dtype, dimensions, step) in kinds.items():
        found[name] = Field(dtype, dimensions, place, strides, step)
        place, strides = place + 1 + dimensions, strides + dimensions
    return found


def _kind_of(hint: Any) -> tuple[np.dtype, int, int | str | None]:
    """Return the dtype, the dimensions and the step of a type hint."""
    if hint in (int, float):
        return np.dtype(hint), 0, None
    dtype, dimensions, *step = hint.__metadata__
    return np.dtype(dtype), dimensions, step[0] if step else None


def words_of(fields: Mapping[str, Field], values: Any) -> Array:
    """Return the table of a named tuple, int64[words].

    The table keeps nothing alive: who holds it must hold the named tuple too.
    """
    words: list[int] = []
    strides: list[int] = []
    for field, value in zip(fields.values(), values, strict=True):
        if field.dimensions:
            expected = strides_of(field, value, values)
            assert not value.size or value.strides == expected
            words += [value.ctypes.data, *value.shape]
            strides += expected
        else:
            words.append(int(np.array(value, field.dtype).view(np.int64)))
    return np.array(words + strides, dtype=np.int64)


def strides_of(field: Field, array: Array, values: Any) -> tuple[int, ...]:
    """Return the strides that kernels take an array to have, in bytes."""
    found = [array.itemsize]
    for length in reversed(array.shape[1:]):
        found.insert(0, length * found[0])
    if field.step is not None:
        found[0] = values.stride
        if field.step:
            found[1] = getattr(values, field.step) if isinstance(field.step, str) else field.step
    return tuple(found)
