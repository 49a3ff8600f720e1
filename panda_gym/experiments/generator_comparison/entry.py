"""Describe one generator of a comparison: its cost and the scores of its rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from panda_gym.files import whole_file


@dataclass(frozen=True)
class Measured:
    """One number with its interval and what a real sample scores."""

    value: float
    """The number; NaN where it could not be computed."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end of its interval."""
    real_vs_real: float
    """The same of real rows that the generator did not see."""
    n: int = 0
    """Synthetic rows that it was computed on."""


@dataclass(frozen=True)
class Cost:
    """What one generator took, in a process of its own on one thread."""

    fit_wall_s: float
    """Wall-clock seconds of the fit."""
    fit_cpu_s: float
    """CPU seconds of the fit."""
    fit_rss_mb: float | None
    """Peak resident memory by the end of the fit, table and libraries included, MB."""
    sample_rows: int
    """Rows that were drawn."""
    sample_wall_s: float
    """Wall-clock seconds of the draw."""
    sample_cpu_s: float
    """CPU seconds of the draw."""
    rss_mb: float
    """Peak resident memory of the process by the end, MB."""
    base_rss_mb: float | None
    """Resident memory before the fit: interpreter, libraries and the table, MB."""
    model_mb: float
    """Size of the saved generator, MB."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Settings that differ from the generator's defaults."""

    @property
    def rows_per_cpu_s(self) -> float:
        """Rows drawn in a CPU second."""
        return self.sample_rows / max(self.sample_cpu_s, 1e-9)


@dataclass(frozen=True)
class Scores:
    """How good the rows of one generator are."""

    scores: Mapping[str, Measured]
    """Scores by id."""
    passed: bool | None
    """Verdict of the certificate, None where it leaves efficacy out."""


@dataclass(frozen=True)
class Entry:
    """One line of the comparison."""

    name: str
    """Registered name."""
    cost: Cost
    """What it cost."""
    quality: Scores
    """How good its rows are."""


def write(path: Path, content: Any) -> None:
    """Write a dataclass as JSON, whole or not at all; NaN becomes null."""
    with whole_file(path) as aside:
        aside.write_text(json.dumps(_plain(asdict(content)), indent=1, allow_nan=False) + "\n")


def read_cost(path: Path) -> Cost:
    """Read what `write` wrote of a `Cost`."""
    return Cost(**json.loads(path.read_text()))


def read_scores(path: Path) -> Scores:
    """Read what `write` wrote of `Scores`, null as NaN."""
    found = json.loads(path.read_text())
    scores = {id: _measured(fields) for id, fields in found["scores"].items()}
    return Scores(scores, found["passed"])


def _measured(fields: Mapping[str, Any]) -> Measured:
    # release 0.1 wrote "floor"
    names = {"floor": "real_vs_real"}
    known: dict[str, Any] = {
        names.get(k, k): math.nan if v is None else v for k, v in fields.items()
    }
    return Measured(**known)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
