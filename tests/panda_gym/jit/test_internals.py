"""Only `panda_gym.jit` touches internals of numba and llvmlite."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("panda_gym", "generators", "metrics")
JIT, LINKED = "panda_gym/jit/", "panda_gym/jit/linked/"


def imported(path: Path) -> Iterator[str]:
    """Dotted names of what a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def users(*prefixes: str) -> set[str]:
    """Files that import something whose dotted name begins with one of the prefixes."""
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if any(name.startswith(prefixes) for name in imported(path))
    }


def test_numba_is_extended_in_one_package_alone():
    found = users("numba.extending", "numba.config", "llvmlite")
    assert found
    assert all(path.startswith(JIT) for path in found), found


def test_internals_of_numba_are_used_in_the_linked_mode_alone():
    found = users("numba.core", "numba.np", "numba.cpython", "numba.typed", "llvmlite.binding")
    assert found
    assert all(path.startswith(LINKED) for path in found), found


def test_elsewhere_numba_is_its_documented_decorator():
    other = {path for path in users("numba") if not path.startswith(JIT)}
    names = {name for path in other for name in imported(ROOT / path) if name.startswith("numba")}
    assert names == {"numba.njit"}
