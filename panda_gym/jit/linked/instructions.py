"""Machine instructions that numba does not offer: prefetch, and count trailing zeros."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from panda_gym.jit.layout import LINE


def _request(builder: Any, pointer: Any, lines: int) -> None:
    """Prefetch `lines` cache lines from `pointer` on, to be read and written."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    request = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    first = builder.bitcast(pointer, byte)
    for k in range(lines):
        line = builder.gep(first, [ir.IntType(64)(k * LINE)])
        builder.call(request, [line, number(1), number(3), number(1)])


@intrinsic
def prefetch(typingcontext: Any, thing: Any) -> Any:
    """Prefetch a record, or the first line of an array."""
    record = isinstance(thing, types.Record)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = arguments[0]
        if not record:
            pointer = make_array(signature.args[0])(context, builder, pointer).data
        _request(builder, pointer, -(-thing.size // LINE) if record else 1)
        return context.get_dummy_value()

    return types.void(thing), code


@intrinsic
def lowest_bit(typingcontext: Any, word: Any) -> Any:
    """Return the number of the lowest bit that is 1 in a word that is not 0."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), code
