"""Measure the structure of the source tree: imports, floors, sizes, documentation.

    python scripts/structure.py                 # this checkout, as a table
    python scripts/structure.py --json          # the same as JSON
    python scripts/structure.py --folder OTHER  # another checkout, for a comparison

Imports inside functions count too. A room is a first-level package or module of `panda_gym`, and
each of `generators` and `metrics` as a whole; a floor is a step of the longest chain of imports
between rooms. A name is public if no part of its path begins with an underscore.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = ("panda_gym", "generators", "metrics")
Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = dict[str, set[str]]


def sources(root: Path, folders: tuple[str, ...] = PACKAGES) -> list[Path]:
    """Return all Python files of the folders, sorted."""
    return sorted(path for name in folders for path in (root / name).rglob("*.py"))


def module_of(root: Path, path: Path) -> str:
    """Return the dotted name of a source file."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports(root: Path) -> Graph:
    """Return for each module the modules of the three packages that it imports, lazily or not."""
    names = {module_of(root, path) for path in sources(root)}
    found: Graph = {name: set() for name in names}
    for path in sources(root):
        name = module_of(root, path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found[name] |= {target for target in _targets(node, names) if target != name}
    return found


def _targets(node: ast.AST, names: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in names)
    elif isinstance(node, ast.ImportFrom) and node.module in names:
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if inner in names else str(node.module)


def cycles(graph: Graph) -> list[set[str]]:
    """Return the strongly connected components of more than one module (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            place = stack.index(node)
            component = set(stack[place:])
            del stack[place:]
            if len(component) > 1:
                found.append(component)

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def room_of(module: str) -> str:
    """Return the room of a module."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "panda_gym" and len(parts) > 1 else parts[0]


def rooms(graph: Graph) -> Graph:
    """Return the imports between rooms."""
    found: Graph = {room_of(module): set() for module in graph}
    for module, targets in graph.items():
        found[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    return found


def floors(graph: Graph) -> int:
    """Return the number of floors: rooms on the longest chain of imports; 0 if there is a cycle."""
    if cycles(graph):
        return 0
    height: dict[str, int] = {}

    def measure(node: str) -> int:
        if node not in height:
            height[node] = 1 + max((measure(other) for other in graph[node]), default=0)
        return height[node]

    return max(measure(node) for node in graph)


def declared_layers(root: Path) -> list[list[str]]:
    """Return the layers of the first import contract, top first."""
    import tomllib

    with (root / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    return [[name.strip(" ()") for name in layer.split("|")] for layer in layers]


def upward(graph: Graph, layers: list[list[str]]) -> int:
    """Return how many imports between rooms run against the declared layers."""
    floor = {name: k for k, layer in enumerate(layers) for name in layer}
    return sum(
        floor[target] <= floor[room]
        for room, targets in graph.items()
        for target in targets
        if room in floor and target in floor
    )


def functions(tree: ast.AST) -> Iterator[tuple[str, Function]]:
    """Yield every function with its name."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node.name, node


def lines_of(node: Function) -> int:
    """Return the lines of a function without its docstring."""
    first = node.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if text else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def public(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    """Yield the public classes, functions and methods of a module with their dotted names."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, Function) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner


def documented_methods(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names of methods that some class documents: an override inherits the text."""
    return {
        name.rpartition(".")[2]
        for tree in trees
        for name, node in public(tree)
        if "." in name and ast.get_docstring(node) is not None
    }


def documented(name: str, node: ast.ClassDef | Function, methods: set[str]) -> bool:
    """Return whether a public name has a docstring, its own or that of the method it overrides."""
    inherited = "." in name and name.rpartition(".")[2] in methods
    return ast.get_docstring(node) is not None or inherited


def annotated(node: ast.ClassDef | Function) -> bool:
    """Return whether a function states the types of all arguments and of its result."""
    if isinstance(node, ast.ClassDef):
        return True
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    typed = all(one.annotation for one in arguments if one.arg not in ("self", "cls"))
    return typed and node.returns is not None


def door(root: Path, package: str) -> int:
    """Return the number of names in a package's `__all__`, 0 if it has none."""
    tree = ast.parse((root / package.replace(".", "/") / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return len(node.value.elts) if isinstance(node.value, ast.List) else 0
    return 0


def quantiles(values: list[int]) -> dict[str, float]:
    """Return median, 90 % quantile and maximum."""
    ordered = sorted(values)
    p90 = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    return {"median": statistics.median(ordered), "p90": p90, "max": ordered[-1]}


def measure(root: Path) -> dict[str, Any]:
    """Return all figures of a checkout."""
    graph, paths = imports(root), sources(root)
    between = rooms(graph)
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    names = [(name, node) for tree in trees.values() for name, node in public(tree)]
    known = documented_methods(trees.values())
    return {
        "modules": len(graph),
        "modules in cycles": sum(map(len, cycles(graph))),
        "imports between modules": sum(map(len, graph.values())),
        "rooms": len(between),
        "imports between rooms": sum(map(len, between.values())),
        "imports that run up": upward(between, declared_layers(root)),
        "floors": floors(between),
        "files in each package root": {
            name: len(list((root / name).glob("*.py"))) for name in PACKAGES
        },
        "largest door": _largest_door(root),
        "lines of a module": quantiles([len(p.read_text("utf-8").splitlines()) for p in paths]),
        "lines of a function": quantiles(
            [lines_of(node) for tree in trees.values() for _, node in functions(tree)]
        ),
        "public names": len(names),
        "documented": round(
            sum(documented(name, node, known) for name, node in names) / len(names), 4
        ),
        "annotated": round(sum(annotated(node) for _, node in names) / len(names), 4),
        "lines of tests to source": round(_lines(sources(root, ("tests",))) / _lines(paths), 2),
    }


def _largest_door(root: Path) -> dict[str, int]:
    doors = {
        module_of(root, path): door(root, module_of(root, path))
        for path in sources(root)
        if path.name == "__init__.py"
    }
    name = max(doors, key=lambda one: doors[one])
    return {name: doors[name]}


def _lines(paths: list[Path]) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def main() -> None:
    """Print the figures of a checkout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = measure(options.folder)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        print(f"{name:28} {text}")


if __name__ == "__main__":
    main()
