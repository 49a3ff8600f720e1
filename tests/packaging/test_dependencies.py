"""pyproject.toml, constraints.txt and the imports of the packages agree."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES: Final = ("panda_gym", "generators", "metrics")
IMPORT_NAME: Final = {"imbalanced-learn": "imblearn", "scikit-learn": "sklearn"}
"""Distributions whose import name is another; by default it is the same with underscores."""

RUNTIME_EXTRAS: Final = ("dp", "minari", "ray", "sign", "tensorboard")


def import_name(requirement: str) -> str:
    name = canonicalize_name(Requirement(requirement).name)
    return IMPORT_NAME.get(name, name.replace("-", "_"))


BASE = {import_name(r) for r in PROJECT["dependencies"]}
EXTRAS = {
    import_name(r) for extra in RUNTIME_EXTRAS for r in PROJECT["optional-dependencies"][extra]
}


def imports(tree: ast.Module) -> Iterator[str]:
    """Top-level names that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def imported() -> set[str]:
    """Third-party names that the three packages import."""
    paths = (path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
    found = {name for path in paths for name in imports(ast.parse(path.read_text()))}
    return found - set(sys.stdlib_module_names) - set(PACKAGES)


def test_what_is_imported_is_declared() -> None:
    assert imported() - BASE - EXTRAS == set()


def test_what_is_declared_is_imported() -> None:
    assert BASE - imported() == set()


@pytest.mark.parametrize(
    "requirement",
    PROJECT["dependencies"] + [r for e in PROJECT["optional-dependencies"].values() for r in e],
)
def test_constraints_lie_within_the_declared_range(requirement: str) -> None:
    needed = Requirement(requirement)
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if re.match(r"\w", line))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    name = canonicalize_name(needed.name)
    if name == "ray":
        pytest.skip("ray is not part of the development environment")
    assert needed.specifier.contains(pinned[name]), f"{requirement}: {pinned[name]} is pinned"
