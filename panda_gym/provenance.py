"""Write settings as JSON so that equal settings give equal text.

A number or a text stands as it is; an object (stream, platform, surrogate) by its type, its name
and a hash of its content.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform as machine
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as JSON holds them."""
    written: dict[str, Any] = json.loads(json.dumps(dict(settings), default=named))
    return written


def named(thing: Any) -> Any:
    """Return what stands for an object in JSON: `Platform:atlas150:1f0c...`."""
    if isinstance(thing, Path):
        return str(thing)
    if isinstance(thing, np.generic):
        return thing.item()
    parts = [type(thing).__name__]
    parts += [str(getattr(thing, name)) for name in ("name", "folder") if hasattr(thing, name)]
    if callable(getattr(thing, "digest", None)):
        parts.append(thing.digest())
        if getattr(thing, "part", None) is not None:
            parts.append(f"part-of={thing.part}")
    elif dataclasses.is_dataclass(thing):
        parts.append(_digest(thing))
    return ":".join(parts)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of installed packages."""
    return {"python": machine.python_version(), **{name: _version(name) for name in packages}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from its sources
        return "not installed"


def _digest(thing: Any) -> str:
    """SHA-256 of a dataclass's fields, arrays by their bytes."""
    sha = hashlib.sha256()
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        is_array = isinstance(value, np.ndarray)
        sha.update(value.tobytes() if is_array else json.dumps(value, default=named).encode())
    return sha.hexdigest()
