"""Saving and loading distributions as JSON files with a hash of their content."""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from typing import Any, Final

from panda_gym.deprecated import FILE_KEYS
from panda_gym.errors import DistributionError, nearest
from panda_gym.files import whole_file

FORMAT: Final = 2
"""Version of the file that is written; files of version 1 are read too."""
KEYS: Final = {1: FILE_KEYS["distribution"], 2: "distribution"}
"""Key of a file's content by version."""

_HOME: Final = "panda_gym.distributions"
REGISTRY: Final = {
    "assets": f"{_HOME}.mixture:Assets",
    "constant": f"{_HOME}.parametric:Constant",
    "exponential": f"{_HOME}.parametric:Exponential",
    "exponentiated_weibull": f"{_HOME}.parametric:ExponentiatedWeibull",
    "growth": f"{_HOME}.growth:Growth",
    "hour_of_week": f"{_HOME}.arrivals:HourOfWeek",
    "log_mixture": f"{_HOME}.mixture:LogMixture",
    "lognormal": f"{_HOME}.parametric:Lognormal",
    "pareto": f"{_HOME}.parametric:Pareto",
    "renewal": f"{_HOME}.arrivals:Renewal",
    "stratified": f"{_HOME}.stratified:Stratified",
    "trace": f"{_HOME}.arrivals:Trace",
}
"""Kind to "module:Class": a new distribution is one class and one line."""


def plain(distribution: Any) -> dict[str, Any]:
    """Return a distribution as JSON data with its kind."""
    return {"kind": distribution.kind, **distribution.to_dict()}


def from_plain(data: Any) -> Any:
    """Return the distribution of JSON data; DistributionError if kind or parameters are invalid."""
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise DistributionError("a distribution with its kind", repr(data)[:60], "save it again")
    parameters = dict(data)
    kind = parameters.pop("kind")
    if kind not in REGISTRY:
        raise DistributionError("a known kind of distribution", repr(kind), nearest(kind, REGISTRY))
    module, _, name = REGISTRY[kind].partition(":")
    try:
        return getattr(importlib.import_module(module), name).from_dict(parameters)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        if isinstance(error, DistributionError):
            raise
        raise DistributionError(
            f"parameters of distribution {kind!r}", str(error)[:80], "fit it again"
        ) from error


def save_distribution(distribution: Any, path: str | Path, origin: str = "") -> None:
    """Write a distribution as JSON, atomically; `origin` says what it was fitted to."""
    body = {"origin": origin, KEYS[FORMAT]: plain(distribution)}
    with whole_file(path) as aside:
        text = json.dumps({"format": FORMAT, "sha256": _hash(body), **body}, indent=1)
        aside.write_text(text + "\n", encoding="utf-8")


def load_distribution(path: str | Path) -> Any:
    """Read a distribution that `save_distribution` wrote.

    Raises DistributionError if the file is missing, damaged or altered.
    """
    remedy = "fit it again with `panda-grid pipelines fit`"
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        key = KEYS.get(document["format"], KEYS[FORMAT])
        body = {"origin": document["origin"], key: document[key]}
        if document["format"] not in KEYS or document["sha256"] != _hash(body):
            raise ValueError("altered after saving, or of another format")
    except (OSError, ValueError, KeyError, TypeError) as error:
        came = str(error)[:100]
        raise DistributionError(f"a saved distribution at {path}", came, remedy) from error
    return from_plain(body[key])


def _hash(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
