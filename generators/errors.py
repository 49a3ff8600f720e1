"""The error that generators raise for bad input, and checks of seeds and counts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = ["GeneratorError", "GeneratorWarning", "check_count", "check_seed", "nearest"]


class GeneratorError(ValueError):
    """Bad input to a generator: says what was needed, what came, and what to do."""

    def __init__(self, needed: str, came: str, do: str) -> None:
        super().__init__(f"needed {needed}; got {came}; {do}")
        self.needed, self.came, self.do = needed, came, do


class GeneratorWarning(UserWarning):
    """Something that a generator does and that its user may not expect."""


def check_seed(seed: Any) -> int:
    """Return `seed` as an int; refuse floats, strings, booleans and negatives."""
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or int(seed) < 0:
        raise GeneratorError("a non-negative integer seed", f"{seed!r}", "pass for example seed=0")
    return int(seed)


def check_count(n: Any) -> int:
    """Return a number of rows as an int; refuse floats, strings, booleans and negatives."""
    if isinstance(n, bool) or not hasattr(n, "__index__") or int(n) < 0:
        raise GeneratorError(
            "a number of rows, 0 or more", f"{n!r}", "pass for example sample(1000)"
        )
    return int(n)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the known entries closest to a mistyped one."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return (
        "did you mean " + " or ".join(close) + "?" if close else "choose one of " + ", ".join(known)
    )
