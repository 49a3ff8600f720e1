"""The interpreted mode: kernels run as Python functions, where numba's JIT is off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from panda_gym.jit.fields import Field

Function = TypeVar("Function", bound=Callable[..., Any])

MODE: Final = "interpreted"


def inline(function: Function) -> Function:
    """Return the function."""
    return function


no_inline = inline


def entry(function: Function, *, cache: bool) -> Function:
    """Return the function; there is nothing to cache."""
    return function


def address_table(fields: Mapping[str, Field], values: Any) -> Any:
    """Return the named tuple itself."""
    return values


def reader(name: str, fields: Mapping[str, Field]) -> Callable[[Any], Any]:
    """Return a function that returns its argument: the table is the named tuple."""
    return inline


def prefetch(thing: Any) -> None:
    """Do nothing: Python does not say where things lie."""


def lowest_bit(word: Any) -> int:
    """Return the number of the lowest bit that is 1 in a word that is not 0."""
    return (int(word) & -int(word)).bit_length() - 1
