"""Decorators of the linked mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit, types

from panda_gym.jit.linked.libraries import EntryCompiler, InlineCompiler, NoInlineCompiler


def _general(kind: Any) -> Any:
    """Return the type that stands for `kind`: no literal, int64 for every signed integer."""
    kind = types.unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer) and kind.signed else kind


def _callee(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of functions that only compiled ones call.

    Without reference counts (`_nrt`): two atomic operations an array and call took two thirds of
    the time. Without a wrapper for Python, which would take most of the time to compile. Compiled
    once for general types of arguments: numba would compile anew for each literal and each width
    of an integer.
    """
    compiler = njit(
        error_model="numpy",
        nogil=True,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        _nrt=False,
        **options,
    )

    def decorate(function: Callable[..., Any]) -> Any:
        compiled = compiler(function)
        resolve = compiled.get_call_template
        compiled.get_call_template = lambda args, kws: resolve(
            tuple(map(_general, args)), {name: _general(kind) for name, kind in kws.items()}
        )
        return compiled

    return decorate


inline = _callee(forceinline=True, pipeline_class=InlineCompiler)
"""Compile a function that only compiled ones call, inlined into each of them."""

no_inline = _callee(forceinline=False, pipeline_class=NoInlineCompiler)
"""Compile a function that only compiled ones call, never inlined."""


def entry(function: Callable[..., Any], *, cache: bool) -> Any:
    """Compile a function that Python calls, with all that it calls."""
    return njit(
        error_model="numpy", nogil=True, cache=cache, _nrt=False, pipeline_class=EntryCompiler
    )(function)
