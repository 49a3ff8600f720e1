"""Choose how kernels are compiled: linked, plain, or not at all.

The linked mode uses internals of numba and llvmlite, so it is taken only with the versions that
were tested. With others, and where an internal has moved, the plain mode takes its place.
"""

from __future__ import annotations

import importlib
import os
import re
import warnings
from collections.abc import Mapping
from typing import Any, Final

import llvmlite
import numba
from numba import config

from panda_gym.errors import SettingError

TESTED: Final[Mapping[str, tuple[tuple[int, int], tuple[int, int]]]] = {
    "numba": ((0, 68), (0, 69)),
    "llvmlite": ((0, 50), (0, 51)),
}
"""Releases of each package that the linked mode was tested with: first, and first after them."""

VARIABLE: Final = "PANDA_GRID_JIT"
"""Environment variable that names the mode."""

LINKED, PLAIN, INTERPRETED = "linked", "plain", "interpreted"


def versions() -> dict[str, str]:
    """Return the version of each package whose internals the linked mode uses."""
    return {"numba": numba.__version__, "llvmlite": llvmlite.__version__}


def requested() -> str:
    """Return the mode that the environment asks for; linked where it says nothing.

    Raises `SettingError` for an unknown mode.
    """
    value = os.environ.get(VARIABLE) or LINKED
    if value not in (LINKED, PLAIN):
        raise SettingError(
            f"{VARIABLE} to be {LINKED!r} or {PLAIN!r}", repr(value), "change it, or leave it out"
        )
    return value


def untested() -> str | None:
    """Return the packages that are outside their tested range, None if there are none."""
    found = [f"{name} {got}" for name, got in versions().items() if not _tested(name, got)]
    return " and ".join(found) + " not tested" if found else None


def _tested(name: str, version: str) -> bool:
    first, end = TESTED[name]
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and first <= (int(numbers[1]), int(numbers[2])) < end


def load_backend() -> Any:
    """Return the module that compiles kernels in this process.

    It is `interpreted` where numba's JIT is off. A linked mode that cannot be had becomes the
    plain one, with one RuntimeWarning.
    """
    mode = requested()
    if config.DISABLE_JIT:
        return _module(INTERPRETED)
    if mode == PLAIN:
        return _module(PLAIN)
    problem = untested()
    if problem is None:
        try:
            return _module(LINKED)
        except (ImportError, AttributeError) as error:
            problem = f"an internal of numba has moved ({error})"
    _warn(problem)
    return _module(PLAIN)


def _module(mode: str) -> Any:
    return importlib.import_module(f"panda_gym.jit.{mode}")


def _warn(problem: str) -> None:
    ranges = ", ".join(f"'{name}>={a}.{b},<{c}.{d}'" for name, ((a, b), (c, d)) in TESTED.items())
    message = (
        f"kernels are compiled in the plain mode, at about half the speed: {problem}; "
        f"install {ranges}, or set {VARIABLE}={PLAIN} to keep the plain mode without this warning"
    )
    warnings.warn(message, RuntimeWarning, stacklevel=2)


BACKEND: Final = load_backend()
"""The module that compiles kernels in this process: `linked`, `plain` or `interpreted`."""
