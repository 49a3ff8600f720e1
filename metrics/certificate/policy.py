"""The demands of a certificate: margins, error level and gates, read from a TOML file."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from metrics.base import PARTS
from metrics.errors import MetricError

FOLDER = Path(__file__).parent / "policies"
KEYS = {"name", "version", "alpha", "parts", "margins", "settings", "quick"}


@dataclass(frozen=True)
class Policy:
    """A named, versioned set of demands."""

    name: str
    """Name of the policy."""
    version: str
    """Version of its text; any change of a margin changes it."""
    sha256: str
    """Hash of the file."""
    alpha: float
    """Error level of intervals and bounds."""
    parts: Mapping[str, bool]
    """Whether each part decides the verdict."""
    margins: Mapping[str, float]
    """Largest tolerated excess by score id; "*" stands for any column."""
    settings: Mapping[str, Any]
    """Sizes and repetitions of the full certificate."""
    quick: Mapping[str, Any]
    """What a quick certificate takes instead."""

    def margin(self, id: str) -> float | None:
        """Return the margin of a score id; an exact entry goes before a pattern."""
        if id in self.margins:
            return self.margins[id]
        return next((m for p, m in self.margins.items() if "*" in p and fnmatchcase(id, p)), None)


def names() -> tuple[str, ...]:
    """Return the names of the policies that come with the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load(name_or_path: str | Path) -> Policy:
    """Read a policy of the package by name, or a file of one's own by path."""
    path = FOLDER / f"{name_or_path}.toml"
    path = path if path.is_file() else Path(name_or_path)
    do = f"choose one of {', '.join(names())} or name a TOML file"
    if not path.is_file():
        raise MetricError("a policy", repr(str(name_or_path)), do)
    try:
        raw = path.read_bytes()
        entries = tomllib.loads(raw.decode())
    except (OSError, ValueError) as error:
        raise MetricError("a policy file in TOML", str(error), "repair the file") from error
    _check(entries, path.name)
    return Policy(**entries, sha256=hashlib.sha256(raw).hexdigest())


def _check(entries: Mapping[str, Any], file: str) -> None:
    if set(entries) != KEYS:
        missing, extra = sorted(KEYS - set(entries)), sorted(set(entries) - KEYS)
        came = f"missing {missing}, unknown {extra}"
        raise MetricError(f"the keys {sorted(KEYS)} in policy {file}", came, "correct the file")
    if set(entries["parts"]) != set(PARTS):
        came = str(sorted(entries["parts"]))
        raise MetricError(f"the parts {sorted(PARTS)} in policy {file}", came, "name each of them")
    _check_settings(entries["settings"], file)
    unknown = set(entries["quick"]) - set(entries["settings"])
    if unknown:
        came = f"unknown {sorted(unknown)}"
        raise MetricError(f"quick settings that [settings] has in {file}", came, "correct them")
    if not (isinstance(entries["alpha"], float) and 0 < entries["alpha"] < 0.5):
        came = repr(entries["alpha"])
        raise MetricError(f"an alpha between 0 and .5 in {file}", came, "use for example 0.05")
    for id, margin in entries["margins"].items():
        if isinstance(margin, bool) or not isinstance(margin, int | float) or not margin > 0:
            raise MetricError(f"a positive margin of {id!r} in {file}", repr(margin), "correct it")
        if not math.isfinite(margin):
            raise MetricError(f"a finite margin of {id!r} in {file}", repr(margin), "correct it")


def _check_settings(settings: Mapping[str, Any], file: str) -> None:
    """Refuse settings other than those of the default policy: a misspelt one would do nothing."""
    known = tomllib.loads((FOLDER / "default.toml").read_text(encoding="utf-8"))["settings"]
    if set(settings) != set(known):
        missing, extra = sorted(set(known) - set(settings)), sorted(set(settings) - set(known))
        came = f"missing {missing}, unknown {extra}"
        raise MetricError(f"the [settings] of the default policy in {file}", came, "correct them")
    for name, value in settings.items():
        kind = type(known[name])
        if type(value) is not kind or (kind is int and value < 1):
            needed = (
                f"{'a positive whole number' if kind is int else 'text'} for {name!r} in {file}"
            )
            raise MetricError(needed, repr(value), "correct it")
