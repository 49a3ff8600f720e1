"""How the kernels' functions are compiled and cached; knows numba, nothing of grids.

numba caches machine code by the source file of the entry alone, so that after an update of a
function that it inlines an entry in an untouched file would go on running the old one. Here the
stamp of a cache is a hash of all sources that may be inlined.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit, types

from panda_gym.jit.libraries import PartCompiler, SharedCompiler, WholeCompiler

Function = TypeVar("Function", bound=Callable[..., Any])


def _plain(kind: Any) -> Any:
    """The type that stands for `kind`: no literal, and int64 for every signed integer."""
    kind = types.unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer) and kind.signed else kind


def _compiled(**options: Any) -> Callable[[Function], Function]:
    """A decorator of functions that only compiled ones call.

    Without reference counts (`_nrt`), because two atomic operations an array and call took two
    thirds of the time (so nothing here may allocate an array); without a wrapper for Python,
    which would take most of the time to compile. Compiled once for plain types of arguments:
    numba would do so anew for each literal and each width of an integer.
    """
    compiler = njit(
        error_model="numpy",
        nogil=True,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        _nrt=False,
        **options,
    )

    def decorate(function: Function) -> Function:
        compiled = compiler(function)
        if hasattr(compiled, "get_call_template"):  # not where the JIT is off
            general = compiled.get_call_template
            compiled.get_call_template = lambda args, kws: general(
                tuple(map(_plain, args)), {name: _plain(kind) for name, kind in kws.items()}
            )
        return compiled  # type: ignore[no-any-return]

    return decorate


inner = _compiled(forceinline=True, pipeline_class=PartCompiler)
"""A function that only compiled ones call, inlined."""

shared = _compiled(forceinline=False, pipeline_class=SharedCompiler)
"""As `inner`, but it stays one: what is called from several places, or seldom, would only
lengthen the code around it, and the time to compile it."""


def source_stamp(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and bytes of all Python files right in the folders."""
    total = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def entries(*folders: Path) -> Callable[[Function], Function]:
    """A decorator of functions that Python calls.

    Machine code is cached until a source in `folders` or in this package changes.
    """
    stamp = source_stamp((Path(__file__).parent, *folders))

    def entry(function: Function) -> Function:
        compiled = njit(
            error_model="numpy", nogil=True, cache=True, _nrt=False, pipeline_class=WholeCompiler
        )(function)
        index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
        if index is not None:  # None where numba's JIT is off or its internals have moved
            index._source_stamp = stamp
        return compiled  # type: ignore[no-any-return]

    return entry
