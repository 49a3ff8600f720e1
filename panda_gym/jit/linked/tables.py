"""Read the fields of an address table in compiled functions of the linked mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llvmlite import ir
from numba import from_dtype, types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array, populate_array

from panda_gym.jit.fields import Field
from panda_gym.jit.linked.arrays import NoWraparoundArray

WORD: Final = ir.IntType(64)


class Table(types.Type):
    """The numba type of an address table: a pointer to its words."""

    def __init__(self, name: str, fields: Mapping[str, Field]) -> None:
        super().__init__(name=name)
        self.fields = fields


def _type_of(field: Field) -> Any:
    """Return the numba type of a field."""
    if field.dimensions == 0:
        return from_dtype(field.dtype)
    layout = "C" if field.step is None else "A"
    return NoWraparoundArray(from_dtype(field.dtype), field.dimensions, layout)


@register_model(Table)
class TableModel(models.PrimitiveModel):
    """A pointer to words."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, WORD.as_pointer())


@infer_getattr
class TableFields(AttributeTemplate):
    """Types of the fields of a table."""

    key = Table

    def generic_resolve(self, kind: Table, name: str) -> Any:
        """Return the type of a field, None if there is none of that name."""
        return _type_of(kind.fields[name]) if name in kind.fields else None


@lower_getattr_generic(Table)
def _read(context: Any, builder: Any, table: Any, pointer: Any, name: str) -> Any:
    """Read a field; no kernel writes the words of a table."""
    field = table.fields[name]
    kind = _type_of(field)

    def word(k: int) -> Any:
        found = builder.load(builder.gep(pointer, [ir.IntType(32)(k)]))
        found.set_metadata("invariant.load", builder.module.add_metadata([]))
        return found

    if field.dimensions == 0:
        return builder.bitcast(word(field.place), context.get_value_type(kind))
    array = make_array(kind)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    shape = [word(field.place + 1 + k) for k in range(kind.ndim)]
    populate_array(
        array,
        data=builder.inttoptr(word(field.place), array.data.type),
        shape=shape,
        strides=_strides(builder, table.fields, field, shape, size, word),
        itemsize=WORD(size),
        meminfo=None,
    )
    return array._getvalue()


def _strides(
    builder: Any, fields: Mapping[str, Field], field: Field, shape: Any, size: int, word: Any
) -> Any:
    """Return strides made of constants and lengths, so that LLVM can see through them."""
    strides = [WORD(size)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(length, strides[0]))
    if field.step is not None:
        strides[0] = word(fields["stride"].place)
        if field.step:
            step = field.step
            strides[1] = word(fields[step].place) if isinstance(step, str) else WORD(step)
    return strides


def reader(name: str, fields: Mapping[str, Field]) -> Any:
    """Return an intrinsic from a table to a value with these fields as attributes."""
    kind = Table(name, fields)

    def read(typingcontext: Any, table: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            words = make_array(signature.args[0])(context, builder, arguments[0])
            return builder.bitcast(words.data, WORD.as_pointer())

        return kind(table), code

    return intrinsic(read)
