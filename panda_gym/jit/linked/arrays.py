"""Arrays without wraparound: an index is never negative.

numba lets -1 stand for the last element, and asks at each access whether an index is below 0:
half of the instructions that find an element of three dimensions. Kernels never count from the
end, so arrays of this type, and views of them, take indices as they are. With bounds checked an
index below 0 is an error.
"""

from __future__ import annotations

import operator
from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.extending import models, register_model
from numba.np.arrayobj import getitem_array_tuple, getitem_arraynd_intp, setitem_array


class NoWraparoundArray(types.Array):
    """An array whose indices count from its beginning."""

    def copy(
        self, dtype: Any = None, ndim: Any = None, layout: Any = None, readonly: Any = None
    ) -> NoWraparoundArray:
        """Return the type of a view: without wraparound too."""
        return NoWraparoundArray(
            self.dtype if dtype is None else dtype,
            self.ndim if ndim is None else ndim,
            self.layout if layout is None else layout,
            readonly=not self.mutable if readonly is None else readonly,
            aligned=self.aligned,
        )


register_model(NoWraparoundArray)(models.ArrayModel)


def _unsigned(context: Any, builder: Any, kind: Any, index: Any) -> tuple[Any, Any]:
    """Return the type and value of an index, or of a tuple of them, as unsigned numbers.

    Slices stay as they are.
    """
    if isinstance(kind, types.BaseTuple):
        items = cgutils.unpack_tuple(builder, index, len(kind))
        pairs = [_unsigned(context, builder, *pair) for pair in zip(kind.types, items, strict=True)]
        whole = types.Tuple([one for one, _ in pairs])
        return whole, context.make_tuple(builder, whole, [item for _, item in pairs])
    if isinstance(kind, types.Integer) and kind.signed:
        return types.uint64, context.cast(builder, index, kind, types.int64)
    return kind, index


def _getter(read: Any) -> Any:
    def get(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, index = _unsigned(context, builder, signature.args[1], arguments[1])
        changed = signature.return_type(signature.args[0], kind)
        return read(context, builder, changed, (arguments[0], index))

    return get


lower_builtin(operator.getitem, NoWraparoundArray, types.Integer)(_getter(getitem_arraynd_intp))
lower_builtin(operator.getitem, NoWraparoundArray, types.BaseTuple)(_getter(getitem_array_tuple))


@lower_builtin(operator.setitem, NoWraparoundArray, types.Any, types.Any)
def _set(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind, index = _unsigned(context, builder, signature.args[1], arguments[1])
    changed = signature.return_type(signature.args[0], kind, signature.args[2])
    return setitem_array(context, builder, changed, (arguments[0], index, arguments[2]))
