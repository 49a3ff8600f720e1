"""Read and write the fitted weights of the policy `tuned`: JSON, or the CSV tables of release 0.1.

A file holds fits by name, each with its weights by term and with what they were fitted on:

    {"format": "tuned weights 2",
     "fits": {"atlas": {"scenario": "atlas", "scale": 0.01, "stream": "JobStream:...",
                        "seeds": [1000000, 1000360], "command": "panda-grid tune ...",
                        "settings": {...}, "search": {...}, "versions": {...},
                        "weights": {"wait": -0.36, "queue x size": -0.16, ...}}}}

A term that a fit does not name has weight 0, so that files with fewer terms open. The tables of
release 0.1 (`weight,atlas,...`, a column a fit) open too; they do not say what they were fitted on.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.environments.placement.policies.tuned_terms import NAMES
from panda_gym.errors import PolicyError, nearest
from panda_gym.files import whole_file

SHIPPED: Final = Path(__file__).with_name("tuned.json")
"""The fits that ship with the package."""
FORMAT: Final = "tuned weights 2"
"""Name of the file format; 1 is the table of release 0.1."""
PART: Final = "#"
"""Between a file and the name of one of its fits, as in `runs/tuned.json#atlas`."""
AGAIN: Final = "fit them again with panda-grid tune"


@dataclass(frozen=True)
class TunedWeights:
    """Weights with what they were fitted on."""

    weights: Mapping[str, float]
    """Weight by the name of its term; a term that is missing has weight 0."""
    scenario: str
    """Named scenario."""
    scale: float = 0.01
    """Factor on the cores of every site."""
    stream: str | None = None
    """Name and digest of the stream of jobs, as `panda_gym.provenance.named`; None: unknown."""
    seeds: tuple[int, int] | None = None
    """First seed of the episodes, and the one after the last."""
    command: str | None = None
    """Command line, or None for a fit made in Python."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the environment."""
    search: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the search."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the packages."""
    losses: tuple[float, ...] = ()
    """Mean ln slowdown of each generation's better half."""

    def row(self) -> np.ndarray:
        """Return the weights in the order of `tuned_terms.NAMES`, float64[terms]."""
        return np.array([self.weights.get(name, 0.0) for name in NAMES])


def read_fits(path: str | Path) -> dict[str, TunedWeights]:
    """Return the fits of a file by name, in order.

    Raises:
        PolicyError: no such file, damaged, of another format, or a term that is not known.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        rows = _csv(text) if Path(path).suffix == ".csv" else _json(text, path)
        found = {name: _fit(document) for name, document in rows.items()}
    except PolicyError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise PolicyError("a file of weights of `tuned`", f"{path}: {error!r}", AGAIN) from error
    for name, fit in found.items():
        _check(fit, f"{path}, {name}")
    return found


def write_fit(path: str | Path, name: str, fit: TunedWeights) -> None:
    """Write a fit to a file under a name; the file's other fits stay."""
    path = Path(path)
    fits = {**(read_fits(path) if path.is_file() else {}), name: fit}
    document = {"format": FORMAT, "fits": {key: _plain(one) for key, one in fits.items()}}
    with whole_file(path) as aside:
        aside.write_text(json.dumps(document, indent=1) + "\n")


@cache
def shipped() -> dict[str, TunedWeights]:
    """Return the fits that ship with the package, by name."""
    return read_fits(SHIPPED)


def find_fit(name: str) -> TunedWeights:
    """Return a shipped fit by its name, or one of a file: FILE, or FILE#NAME where it has several.

    Raises:
        PolicyError: there is no such fit, or the file cannot be read.
    """
    file, _, part = str(name).partition(PART)
    if name in shipped():
        return shipped()[name]
    if not Path(file).is_file():
        hint = nearest(str(name), shipped())
        raise PolicyError("weights that ship, or a file of weights", repr(name), hint)
    fits = read_fits(file)
    if not part and len(fits) == 1:
        return next(iter(fits.values()))
    if part not in fits:
        needed = f"one of the weights {', '.join(fits)} in {file}"
        raise PolicyError(needed, repr(part), f"name it as {file}{PART}{next(iter(fits), 'NAME')}")
    return fits[part]


def nearest_fit(fits: Mapping[str, TunedWeights], scenario: str, scale: float) -> str:
    """Return the name of the fit for a scenario (else the default one) of the nearest scale.

    Scales are compared by their ratio; of two as near, the first named is taken.

    Raises:
        PolicyError: there is a fit neither for the scenario nor for the default one.
    """
    for wanted in (scenario, "default"):
        near = {n: abs(math.log(f.scale / scale)) for n, f in fits.items() if f.scenario == wanted}
        if near:
            return min(near, key=lambda name: near[name])
    raise PolicyError(f"weights of scenario {scenario!r} or the default", "neither", AGAIN)


def _json(text: str, path: str | Path) -> dict[str, dict[str, Any]]:
    document = json.loads(text)
    if document["format"] != FORMAT:
        raise PolicyError(
            f"a file of the format {FORMAT!r}", f"{path}: {document['format']!r}", AGAIN
        )
    fits: dict[str, dict[str, Any]] = document["fits"]
    return fits


def _csv(text: str) -> dict[str, dict[str, Any]]:
    """A table of release 0.1: a column a fit, which is named after its scenario."""
    lines = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    head, body = lines[0], lines[1:]
    return {
        name: {"scenario": name, "weights": {row[0]: float(row[k]) for row in body}}
        for k, name in enumerate(head[1:], start=1)
    }


def _fit(document: Mapping[str, Any]) -> TunedWeights:
    parts = dict(document)
    if parts.get("seeds") is not None:
        parts["seeds"] = tuple(parts["seeds"])
    return TunedWeights(**{**parts, "losses": tuple(parts.get("losses", ()))})


def _plain(fit: TunedWeights) -> dict[str, Any]:
    rounded = {name: float(f"{value:.6g}") for name, value in fit.weights.items()}
    losses = [float(f"{loss:.6g}") for loss in fit.losses]
    return {**vars(fit), "weights": rounded, "losses": losses}


def _check(fit: TunedWeights, where: str) -> None:
    for name, value in fit.weights.items():
        if name not in NAMES:
            raise PolicyError(
                f"terms that `tuned` knows in {where}", repr(name), nearest(name, NAMES)
            )
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not math.isfinite(value)
        ):
            raise PolicyError(f"a finite weight of {name!r} in {where}", repr(value), AGAIN)
