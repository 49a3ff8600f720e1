"""How the kernel's functions are compiled; knows numba, nothing of grids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def inner(function: Function) -> Function:
    """A function that only compiled ones call.

    Inlined, because a World of some fifty arrays is dear to pass; without reference counts
    (`_nrt`), because two atomic operations an array and call took two thirds of the time (so
    nothing here may allocate an array); without a wrapper for Python, which would take most of
    the time to compile.
    """
    compiled: Function = njit(
        error_model="numpy",
        nogil=True,
        forceinline=True,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        _nrt=False,
    )(function)
    return compiled


def entry(function: Function) -> Function:
    """A function that Python calls; its machine code is cached on disk."""
    compiled: Function = njit(error_model="numpy", nogil=True, cache=True, _nrt=False)(function)
    return compiled
