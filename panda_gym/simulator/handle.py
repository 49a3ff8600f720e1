"""How compiled functions see a World: through one address; knows numba, nothing of grids.

Passed as a tuple, forty arrays are some three hundred arguments of every call: most of the time
to compile the kernel, and a few microseconds a call from Python. Here a World is a table of
words, one an array's address and one each of its sizes, and the kernels get the table. Each
grid's part of all arrays lies in one piece, so that one number tells them how far away the next
grid's is.
`w.sites` in a compiled function reads it. Nothing is counted, so whoever makes a table keeps the
World.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, get_type_hints

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import config
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array, populate_array

from panda_gym.jit.plain_array import Plain
from panda_gym.simulator.state import World

Array = np.ndarray
WORD: Final = ir.IntType(64)


class Field(NamedTuple):
    """Where a field of a World stands in its table."""

    kind: Any
    """Its numba type."""
    place: int
    """Of its first word."""
    step: int | str | None
    """Bytes from one of its elements in a grid to the next, or the field that says how many; 0:
    they lie side by side; None: it is no part of a grid's memory."""


def _fields() -> dict[str, Field]:
    found: dict[str, Field] = {}
    place = 0
    for name, hint in get_type_hints(World, include_extras=True).items():
        if hint in (int, float):
            found[name] = Field(types.int64 if hint is int else types.float64, place, None)
            place += 1
        else:
            kind, dimensions, *step = hint.__metadata__
            layout = "A" if step else "C"
            of_type = Plain(from_dtype(np.dtype(kind)), dimensions, layout)
            found[name] = Field(of_type, place, step[0] if step else None)
            place += 1 + dimensions
    return found


FIELDS: Final = _fields()


def table_of(world: World) -> Array | World:
    """The words of a World, int64[words]; where numba's JIT is off, the World itself."""
    if config.DISABLE_JIT:
        return world
    words: list[int] = []
    for field, part in zip(FIELDS.values(), world, strict=True):
        if isinstance(part, np.ndarray):
            assert not part.size or part.strides == _strides(part, field.step, world)
            words += [part.ctypes.data, *part.shape]
        else:
            words.append(int(np.array(part).view(np.int64)))
    return np.array(words, dtype=np.int64)


def _strides(part: Array, step: int | str | None, world: World) -> tuple[int, ...]:
    """Bytes between neighbours along each axis, as compiled functions take them to be."""
    found = [part.itemsize]
    for length in reversed(part.shape[1:]):
        found.insert(0, length * found[0])
    if step is not None:
        found[0] = world.stride
        if step:
            found[1] = getattr(world, step) if isinstance(step, str) else step
    return tuple(found)


class Handle(types.Type):
    """The numba type of a World: a pointer to its table."""

    def __init__(self) -> None:
        super().__init__(name="panda_gym.World")


HANDLE: Final = Handle()


@register_model(Handle)
class HandleModel(models.PrimitiveModel):
    """A pointer to words."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, WORD.as_pointer())


@infer_getattr
class HandleFields(AttributeTemplate):
    """Which type each field has."""

    key = Handle

    def generic_resolve(self, kind: Handle, name: str) -> Any:
        return FIELDS[name].kind if name in FIELDS else None


@lower_getattr_generic(Handle)
def _read(context: Any, builder: Any, handle: Any, pointer: Any, name: str) -> Any:
    """Read a field of the table, whose words nothing changes."""
    kind, place, step = FIELDS[name]

    def word(k: int) -> Any:
        found = builder.load(builder.gep(pointer, [ir.IntType(32)(k)]))
        found.set_metadata("invariant.load", builder.module.add_metadata([]))
        return found

    if not isinstance(kind, types.Array):
        return builder.bitcast(word(place), context.get_value_type(kind))
    array = make_array(kind)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    shape = [word(place + 1 + k) for k in range(kind.ndim)]
    strides = [WORD(size)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(length, strides[0]))
    if step is not None:
        strides[0] = word(FIELDS["stride"].place)
        if step:
            strides[1] = word(FIELDS[step].place) if isinstance(step, str) else WORD(step)
    populate_array(
        array,
        data=builder.inttoptr(word(place), array.data.type),
        shape=shape,
        strides=strides,
        itemsize=WORD(size),
        meminfo=None,
    )
    return array._getvalue()


def _point(typingcontext: Any, table: Any) -> Any:
    """The address of a table as a World."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words = make_array(signature.args[0])(context, builder, arguments[0])
        return builder.bitcast(words.data, WORD.as_pointer())

    return HANDLE(table), code


def _itself(table: Any) -> Any:
    return table


world_of: Any = _itself if config.DISABLE_JIT else intrinsic(_point)
"""The World of a table, in compiled functions; where the JIT is off, the table is one."""
