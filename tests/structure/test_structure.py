"""The source tree keeps its rules: no cycle, no import up, small roots and doors, documentation."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
MOST_FILES: Final = 12
MOST_NAMES: Final = 15
P90_LINES: Final = 20


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("structure", ROOT / "scripts" / "structure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["structure"] = module
    spec.loader.exec_module(module)
    return module


structure = _load()


def test_no_module_is_in_an_import_cycle() -> None:
    assert structure.cycles(structure.imports(ROOT)) == []


def test_a_cycle_would_be_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert structure.cycles(graph) == [{"a", "b", "c"}]
    assert structure.floors(graph) == 0
    assert structure.floors({"a": {"b"}, "b": set()}) == 2


def test_no_import_runs_up() -> None:
    between = structure.rooms(structure.imports(ROOT))
    assert structure.upward(between, structure.declared_layers(ROOT)) == 0


@pytest.mark.parametrize("package", structure.PACKAGES)
def test_a_package_root_is_small(package: str) -> None:
    assert len(list((ROOT / package).glob("*.py"))) <= MOST_FILES


DOORS = [
    structure.module_of(ROOT, path)
    for path in structure.sources(ROOT)
    if path.name == "__init__.py"
]


@pytest.mark.parametrize("package", DOORS)
def test_a_door_has_few_names(package: str) -> None:
    assert structure.door(ROOT, package) <= MOST_NAMES


def test_functions_are_short() -> None:
    lines = [
        structure.lines_of(node)
        for path in structure.sources(ROOT)
        for _, node in structure.functions(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert structure.quantiles(lines)["p90"] <= P90_LINES


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in structure.sources(ROOT)}
METHODS = structure.documented_methods(TREES.values())


@pytest.mark.parametrize("path", TREES, ids=lambda path: structure.module_of(ROOT, path))
def test_public_names_are_documented_and_annotated(path: Path) -> None:
    tree = TREES[path]
    assert ast.get_docstring(tree), "the module has no docstring"
    for name, node in structure.public(tree):
        assert structure.documented(name, node, METHODS), f"{name} has no docstring"
        assert structure.annotated(node), f"{name} lacks types"
