"""Finished scores of metrics kept on disk, so that a killed run resumes.

One JSON file for each metric lies in a folder named by a hash of everything that the result depends
on: tables, settings, seed, code and versions. Files are written atomically.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metrics.base import Score
from metrics.files import write_whole


@dataclass(frozen=True)
class Finding:
    """What one metric found on one study."""

    scores: list[Score]
    """Its scores, without margins."""
    failures: dict[str, str]
    """Why it gave none, by its name, or nothing."""
    left_out: dict[str, str]
    """Why it does not apply, by its name, or nothing."""
    notes: dict[str, Any]
    """Curves that it left for the report, in plain JSON types."""
    cpu_s: float
    """CPU seconds that it took."""


@dataclass(frozen=True)
class ScoreCache:
    """The findings of one study, by name of the metric."""

    folder: Path
    """Where they lie."""

    @classmethod
    def of(cls, work: str | Path, key: Mapping[str, Any]) -> ScoreCache:
        """Return the cache of what `key` describes, below the folder `work`."""
        text = json.dumps(key, sort_keys=True)
        return cls(Path(work) / hashlib.sha256(text.encode()).hexdigest()[:16])

    def read(self, name: str) -> Finding | None:
        """Return a finding, or None where there is none that can be read."""
        try:
            entries = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
            entries["scores"] = [Score(**entry) for entry in entries["scores"]]
            return Finding(**entries)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, name: str, finding: Finding) -> None:
        """Keep a finding; the file appears whole or not at all."""
        write_whole(self.folder / f"{name}.json", json.dumps(asdict(finding)))
