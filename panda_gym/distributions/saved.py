"""Laws as JSON files with a hash of their content; knows the registry, no law's meaning."""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from typing import Any, Final

from panda_gym.errors import LawError, nearest
from panda_gym.files import whole_file

FORMAT: Final = 1

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
"""Kind to "module:Class": a new law is one class and one line."""


def plain(law: Any) -> dict[str, Any]:
    """A law as plain data with its kind."""
    return {"kind": law.kind, **law.to_dict()}


def from_plain(given: Any) -> Any:
    """The law of plain data; LawError if its kind is unknown or its parameters make none."""
    if not isinstance(given, dict) or not isinstance(given.get("kind"), str):
        raise LawError("a law with its kind", repr(given)[:60], "save it again")
    parameters = dict(given)
    kind = parameters.pop("kind")
    if kind not in REGISTRY:
        raise LawError("a known kind of law", repr(kind), nearest(kind, REGISTRY))
    module, _, name = REGISTRY[kind].partition(":")
    try:
        return getattr(importlib.import_module(module), name).from_dict(parameters)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        if isinstance(error, LawError):
            raise
        raise LawError(f"parameters of law {kind!r}", str(error)[:80], "fit it again") from error


def save_law(law: Any, path: str | Path, origin: str = "") -> None:
    """Write a law as JSON, whole or not at all; origin says what it was fitted to."""
    body = {"origin": origin, "law": plain(law)}
    with whole_file(path) as aside:
        text = json.dumps({"format": FORMAT, "sha256": _hash(body), **body}, indent=1)
        aside.write_text(text + "\n", encoding="utf-8")


def load_law(path: str | Path) -> Any:
    """Read a law that `save_law` wrote; LawError if it is missing, damaged or altered."""
    do = "fit it again with `panda-grid pipelines fit`"
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        body = {"origin": document["origin"], "law": document["law"]}
        if document["format"] != FORMAT or document["sha256"] != _hash(body):
            raise ValueError("altered after saving, or of another format")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LawError(f"a saved law at {path}", str(error)[:100], do) from error
    return from_plain(body["law"])


def _hash(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
