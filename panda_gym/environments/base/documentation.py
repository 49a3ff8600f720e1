"""Fill the tables of an environment's class docstring from the tables of facts in code.

A class docstring holds tokens such as `<<sites>>`; `documented(sites=...)` replaces each by lines
of a Markdown table. So features, costs, rewards, info keys and settings are described once, where
they are defined.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import Any, TypeVar

from panda_gym.environments.base.features import Feature, Table

Kind = TypeVar("Kind", bound=type)


def documented(**parts: str) -> Callable[[Kind], Kind]:
    """Return a class decorator that replaces `<<name>>` in the docstring by `parts[name]`."""

    def fill(cls: Kind) -> Kind:
        text = inspect.cleandoc(cls.__doc__ or "")
        for name, lines in parts.items():
            text = text.replace(f"<<{name}>>", lines)
        cls.__doc__ = text
        return cls

    return fill


def rows(*cells: tuple[str, ...]) -> str:
    """Return rows of a Markdown table."""
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in row)} |" for row in cells)


def feature_rows(table: Table, shape: str) -> str:
    """Return a row a feature: name, shape, unit, range of the code, meaning with the encoding."""
    return rows(*((f"`{f.name}`", shape, f.unit, _range(f), _meaning(f)) for f in table))


def _range(feature: Feature) -> str:
    return f"[{feature.low:g}, {feature.high:g}]"


def _meaning(feature: Feature) -> str:
    if feature.kind == "ratio":
        return f"{feature.meaning}; x / (x + {feature.scale:g})"
    return feature.meaning if feature.scale == 1.0 else f"{feature.meaning}; x / {feature.scale:g}"


def function_rows(functions: Mapping[str, Callable[..., Any]]) -> str:
    """Return a row a function: name, first paragraph of its docstring."""
    return rows(*((f"`{name}`", _first_paragraph(one)) for name, one in functions.items()))


def _first_paragraph(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n", maxsplit=1)[0]


def info_rows(info: Mapping[str, tuple[str, str]]) -> str:
    """Return a row a key of `info`: key, type, meaning."""
    return rows(*((f"`{key}`", kind, meaning) for key, (kind, meaning) in info.items()))


def setting_rows(*settings: type, without: tuple[str, ...] = ()) -> str:
    """Return a row a field of the dataclasses: name, default, the docstring below the field."""
    found = []
    for cls in settings:
        meanings = _field_docstrings(cls)
        for field in fields(cls):
            if field.name not in without:
                default = "see below" if field.default is MISSING else f"`{field.default!r}`"
                found.append((f"`{field.name}`", default, meanings.get(field.name, "")))
    return rows(*found)


def _field_docstrings(cls: type) -> dict[str, str]:
    """Return the strings below the fields of a dataclass; none where there is no source code."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return {}
    body = ast.parse(source).body[0].body  # type: ignore[attr-defined]
    found = {}
    for field, below in pairwise(body):
        named = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if named and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[field.target.id] = str(below.value.value)  # type: ignore[attr-defined]
    return found


def _plain(cell: str) -> str:
    """Return a cell on one line and without the sign that separates cells."""
    return " ".join(cell.replace("|", "or").split())
