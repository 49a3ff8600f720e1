"""Decorators that compile the functions of a kernel, and the stamp of cached machine code.

`inline` and `no_inline` are for functions that only compiled functions call; `entry_decorator`
makes the decorator of functions that Python calls, whose machine code is cached on disk.

numba looks only at the entry's own source file to tell whether cached code is out of date. Here
the stamp covers all sources that an entry may contain, the mode, and the versions of numba and
llvmlite. Nothing here may allocate an array: the linked mode counts no references.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from panda_gym.deprecated import old_names
from panda_gym.jit.mode import BACKEND, INTERPRETED, versions

Function = TypeVar("Function", bound=Callable[..., Any])

__getattr__ = old_names(__name__)

MODE: Final[str] = BACKEND.MODE
"""How kernels are compiled in this process: "linked", "plain" or "interpreted"."""


def inline(function: Function) -> Function:
    """Compile a function that only compiled ones call; linked: inlined into each caller."""
    return BACKEND.inline(function)  # type: ignore[no-any-return]


def no_inline(function: Function) -> Function:
    """Compile a function that only compiled ones call; linked: never inlined.

    For what has several callers or runs seldom: inlined, it would make the code around it longer
    and slower to compile.
    """
    return BACKEND.no_inline(function)  # type: ignore[no-any-return]


prefetch: Any = BACKEND.prefetch
"""prefetch(thing): ask for the cache lines of a record, or for the first line of an array."""

lowest_bit: Any = BACKEND.lowest_bit
"""lowest_bit(word): number of the lowest bit that is 1 in an unsigned word that is not 0."""


def source_stamp(folders: Iterable[Path]) -> str:
    """Return a SHA-256 of what machine code from these folders depends on.

    That is: the names and bytes of their Python files (subfolders included), the mode, and the
    versions of numba and llvmlite.
    """
    total = hashlib.sha256(repr([MODE, *versions().items()]).encode())
    for folder in sorted(folders):
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(folder).as_posix()
            total.update(name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def entry_decorator(*folders: Path) -> Callable[[Function], Function]:
    """Return a decorator of functions that Python calls.

    Their machine code is cached until a source in `folders` or in this package changes.
    """
    stamp = source_stamp([*folders, Path(__file__).parent])

    def entry(function: Function) -> Function:
        # numba names cache files after __qualname__: each mode has files of its own.
        function.__qualname__ = f"{function.__qualname__}.{MODE}"
        compiled = BACKEND.entry(function, cache=True)
        if MODE != INTERPRETED and not _stamp_cache(compiled, stamp):
            compiled = BACKEND.entry(function, cache=False)
        return compiled  # type: ignore[no-any-return]

    return entry


def _stamp_cache(compiled: Any, stamp: str) -> bool:
    """Put a stamp on an entry's cache; False where numba keeps its stamp elsewhere."""
    index: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if not hasattr(index, "_source_stamp"):
        return False
    index._source_stamp = stamp
    return True
