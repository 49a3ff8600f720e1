"""Experiments: grids of settings times seeds, run one by one and resumed from a folder.

The folder:

    experiment.json     the fleet, the grid, the seeds, the horizon; and a hash of them
    runs/KEY.json       one row per run, written atomically at its end
    results.parquet     all rows, written after the last run

A run whose file is in the folder is not repeated; an interrupted run leaves no file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from panda_gym.errors import PipelineError, check_seed
from panda_gym.files import sha256, whole_file
from panda_gym.pipelines.fleet import Fleet, check_settings
from panda_gym.pipelines.simulation import simulate
from panda_gym.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int, str], None]

FORMAT: Final = 1


@dataclass(frozen=True)
class Experiment:
    """Experiment: a fleet, a grid of its settings, and seeds.

    Raises PipelineError if a setting or value is not valid.
    """

    fleet: Fleet = field(default_factory=Fleet)
    """Settings that are not varied."""
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Values of settings of the fleet; every combination is run."""
    seeds: Sequence[int] = tuple(range(10))
    """Seeds; every combination is run with each, for paired comparisons."""
    days: float = 60.0
    """Horizon of a run, days."""
    title: str = "experiment"
    """Title of the dashboard."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", tuple(check_seed(seed) for seed in self.seeds))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise PipelineError(
                "seeds that differ, at least one", repr(self.seeds), "pass range(10)"
            )
        if not 0.0 < self.days < float("inf"):
            raise PipelineError("a horizon above 0 days", repr(self.days), "raise days")
        check_settings(type(self.fleet), self.grid)
        for name, values in self.grid.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise PipelineError(f"values of {name}", repr(values), "pass a list")
        for settings in self.cells():
            self.fleet.but(**settings).open()

    def cells(self) -> Iterator[dict[str, Any]]:
        """Yield every combination of the grid."""
        for values in product(*self.grid.values()):
            yield dict(zip(self.grid, values, strict=True))

    def runs(self) -> list[tuple[dict[str, Any], int]]:
        """Return every combination with every seed."""
        return [(cell, seed) for cell in self.cells() for seed in self.seeds]

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as JSON data; a distribution in a file with its hash."""
        fleet = {name: _plain(value) for name, value in asdict(self.fleet).items()}
        distribution = self.fleet.arrivals
        if isinstance(distribution, str | Path):
            fleet["arrivals_sha256"] = sha256(distribution)
        return {
            "format": FORMAT,
            "title": self.title,
            "fleet": fleet,
            "grid": {name: [_plain(v) for v in values] for name, values in self.grid.items()},
            "seeds": list(self.seeds),
            "days": self.days,
        }


def run(
    experiment: Experiment, folder: str | Path, progress: Progress | None = None
) -> pd.DataFrame:
    """Run what is not yet in the folder, and return one row per run in the order of `runs`.

    Raises:
        PipelineError: the folder holds another experiment, or one of its files is damaged.
    """
    folder = Path(folder)
    _claim(experiment, folder)
    todo = experiment.runs()
    for done, (cell, seed) in enumerate(todo):
        path = folder / "runs" / f"{_key(cell, seed)}.json"
        if not path.exists():
            row = {**cell, "seed": seed, **_one(experiment, cell, seed)}
            with whole_file(path) as aside:
                aside.write_text(json.dumps({k: _plain(v) for k, v in row.items()}) + "\n")
        if progress is not None:
            progress(done + 1, len(todo), ", ".join(f"{k}={v}" for k, v in cell.items()))
    table = _table([_read(folder / "runs" / f"{_key(*one)}.json") for one in todo])
    with whole_file(folder / "results.parquet") as aside:
        table.to_parquet(aside)
    return table


def load(folder: str | Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the experiment as JSON data and its rows; PipelineError if it has not ended."""
    import pandas as pd

    folder = Path(folder)
    document = _read(folder / "experiment.json")
    path = folder / "results.parquet"
    if not path.exists():
        done = len(list((folder / "runs").glob("*.json")))
        raise PipelineError(f"an experiment that ended in {folder}", f"{done} runs", "run it again")
    return document, pd.read_parquet(path)


def _claim(experiment: Experiment, folder: Path) -> None:
    """Write what is run, or check that it is what lies there."""
    document = experiment.to_dict()
    path = folder / "experiment.json"
    if path.exists():
        if _read(path) != json.loads(json.dumps(document)):
            raise PipelineError(
                f"the experiment that lies in {folder}", "another one", "name another folder"
            )
        return
    with whole_file(path) as aside:
        aside.write_text(json.dumps(document, indent=1) + "\n")


def _one(experiment: Experiment, cell: dict[str, Any], seed: int) -> dict[str, float]:
    operations = experiment.fleet.but(**cell).open()
    return simulate(operations, experiment.days * SECONDS_PER_DAY, seed).summary()


def _key(cell: Mapping[str, Any], seed: int) -> str:
    text = json.dumps([{k: _plain(v) for k, v in cell.items()}, seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _plain(value: Any) -> Any:
    """Return a value as JSON data."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "kind") and hasattr(value, "to_dict"):
        from panda_gym.distributions.saved import plain

        return plain(value)
    return value.item() if hasattr(value, "item") else str(value)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PipelineError(
            f"a whole {path}", str(error)[:80], "delete it and run again"
        ) from error


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
