"""Caching of compiled entries that notices changes of any function they contain; knows numba.

numba caches machine code by the source file of the entry alone, so that after an update of the
kernel an entry in an untouched file would go on running the old one. Here the stamp of a cache
is a hash of all sources that may be inlined.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from panda_gym import simulator
from panda_gym.simulator.compiled import entry as simulator_entry
from panda_gym.simulator.compiled import inner

__all__ = ["entry", "inner", "source_stamp"]

Function = TypeVar("Function", bound=Callable[..., Any])


def source_stamp(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and bytes of all Python files right in the folders."""
    total = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


@cache
def _stamp() -> str:
    return source_stamp((Path(__file__).parent, Path(simulator.__file__ or ".").parent))


def entry(function: Function) -> Function:
    """A function that Python calls, without allocation; cached until any source changes."""
    compiled = simulator_entry(function)
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if index is not None:  # None where numba's JIT is off or its internals have moved
        index._source_stamp = _stamp()
    return compiled
