"""Generators of synthetic tables, made by name, fitted to a table and sampled.

>>> import generators
>>> generators.names()
('smote', 'tvae', 'ctabgan', 'tabddpm', 'autoregressive', 'grouped')

A generator is made by name, fitted to a pandas DataFrame whose dtypes are the schema (category,
integers, floats, naive datetimes), and sampled for rows of the same columns, dtypes and levels:

    model = generators.create("tabddpm", steps=2000).fit(table, seed=0)
    rows = model.sample(10_000, seed=1)
    model.save("folder")
    model = generators.load("folder")

Importing this package loads neither torch nor pandas; a generator's module is imported when it is
first asked for. To add one: one module, one line in `REGISTRY`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.errors import GeneratorError, nearest

if TYPE_CHECKING:
    from generators.base import Generator

__all__ = ["REGISTRY", "GeneratorError", "create", "load", "names"]

REGISTRY: dict[str, str] = {
    "smote": "generators.smote:Smote",
    "tvae": "generators.tvae:Tvae",
    "ctabgan": "generators.ctabgan:Ctabgan",
    "tabddpm": "generators.tabddpm:TabDDPM",
    "autoregressive": "generators.autoregressive:Autoregressive",
    "grouped": "generators.grouped:Grouped",
}


def names() -> tuple[str, ...]:
    """Return the names of all registered generators."""
    return tuple(REGISTRY)


def create(name: str, **config: Any) -> Generator:
    """Return an unfitted generator; `config` are the fields of its configuration."""
    return _resolve(name)(**config)


def load(folder: str | Path, **changes: Any) -> Generator:
    """Return the fitted generator that `.save(folder)` wrote; refuse a damaged or foreign one.

    `changes` are settings that shall differ from those of the fit: `device="cuda"` (the CPU unless
    named, wherever the fit was), or what sampling looks at, such as TabDDPM's `steps` and `solver`.
    """
    from generators.files import read_folder

    meta, arrays = read_folder(folder)
    return _resolve(meta.get("generator", "")).restore(meta, arrays, **changes)


def _resolve(name: str) -> type[Generator]:
    if name not in REGISTRY:
        raise GeneratorError("the name of a generator", f"{name!r}", nearest(str(name), REGISTRY))
    module, kind = REGISTRY[name].split(":")
    return getattr(importlib.import_module(module), kind)
