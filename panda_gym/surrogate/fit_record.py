"""The record of a fit: what a generator was fitted to, how, and what it cost.

A folder that `panda-grid fit` wrote holds

    generator/    the fitted generator
    fit.json      its fit record: rows, seeds, settings, CPU time, memory
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from panda_gym.deprecated import old_names
from panda_gym.errors import SurrogateError
from panda_gym.files import whole_file

FIT_FILE: Final = "fit.json"
"""File name of the fit record; a folder that holds it is one of a fitted generator."""


@dataclass(frozen=True)
class FitRecord:
    """What a generator was fitted to, how, and what it cost; the content of `fit.json`."""

    generator: str
    """Registered name of the generator."""
    config: dict[str, Any]
    """Settings that differ from the generator's defaults."""
    origin: str
    """One sentence on the records."""
    rows: int
    """Rows of the training part."""
    split_seed: int
    """Seed of the random 80/20 split into training and holdout rows."""
    seed: int
    """Seed of the fit."""
    cpu_s: float
    """CPU seconds of the fit."""
    wall_s: float
    """Wall-clock seconds of the fit."""
    rss_mb: float | None = None
    """Peak resident memory by the end of the fit, table and libraries included, MB."""
    base_rss_mb: float | None = None
    """Resident memory before the fit, MB."""

    def write(self, folder: Path) -> None:
        """Write `fit.json` into the folder."""
        with whole_file(folder / FIT_FILE) as aside:
            aside.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    @classmethod
    def read(cls, folder: Path) -> FitRecord:
        """Read `fit.json`; SurrogateError if the folder holds no fitted generator."""
        try:
            return cls(**json.loads((folder / FIT_FILE).read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise SurrogateError(
                f"a folder written by `panda-grid fit` at {folder}",
                f"{error}",
                "run `panda-grid fit RECORDS --out FOLDER` first",
            ) from error


def peak_mb() -> float:
    """Return the greatest resident memory of this process so far, MB.

    Where /proc tells, it is asked: the resource usage of a Linux process starts at its parent's.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


__getattr__ = old_names(__name__)
