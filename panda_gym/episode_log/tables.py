"""Logs of workflows and pipelines: `run.parquet`, one row a task, and its decisions beside it.

The conventions are those of the placement logs: a path that ends in .parquet is one file, any other
a folder of numbered episodes; level "jobs" keeps the tasks, "events" also every decision in
`run.events.parquet`. The setting of the episode is JSON in the metadata of the first file.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import panda_gym
from panda_gym.episode_log.logged import COST_PREFIX, check_level
from panda_gym.episode_log.parquet import (
    FORMAT,
    SUFFIX,
    check_path,
    events_path,
    read_table,
    write_table,
)
from panda_gym.episode_log.recorder import Numbered
from panda_gym.errors import InputError, SettingError, StreamError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class EpisodeTables:
    """Log of one episode of a workflow or a fleet, as columns of tables."""

    tasks: Mapping[str, Array]
    """Columns of the tasks, [N] each."""
    decisions: Mapping[str, Array] | None = None
    """Columns of the decisions in their order, [D] each; None below level "events"."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Environment, settings, return, sums of the costs."""

    @property
    def level(self) -> str:
        """The level of detail, "jobs" or "events"."""
        return "jobs" if self.decisions is None else "events"

    def write(self, path: str | Path) -> None:
        """Write the files atomically, that of the tasks last; StreamError for another ending."""
        path = check_path(path)
        if self.decisions is not None:
            write_table(events_path(path), self.decisions, {"format": FORMAT})
        else:
            events_path(path).unlink(missing_ok=True)
        about = {"version": panda_gym.__version__, "level": self.level, "about": dict(self.about)}
        write_table(path, self.tasks, {"format": FORMAT, "tables": True, **about})

    @classmethod
    def read(cls, path: str | Path) -> EpisodeTables:
        """Return what `write` wrote; StreamError if it is missing, damaged or another log."""
        path = Path(path)
        try:
            tasks, meta = read_table(path)
            if meta["format"] != FORMAT or not meta["tables"]:
                raise ValueError("another format")
            both = meta["level"] == "events"
            return cls(tasks, read_table(events_path(path))[0] if both else None, meta["about"])
        except InputError:
            raise
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            do = "write it with log= of Workflow or Pipelines"
            raise StreamError(f"the log of an episode at {path}", repr(error)[:200], do) from None


class TableJournal:
    """Records the decisions of E episodes and writes each when it ends.

    SettingError for one file and several episodes.
    """

    def __init__(self, episodes: int, path: str | Path, level: str) -> None:
        self.path, self.level = Path(path), check_level(level)
        if self.path.suffix == SUFFIX and episodes > 1:
            do = "drop .parquet"
            raise SettingError("a folder for the logs of several episodes", str(path), do)
        self._numbered = None if self.path.suffix == SUFFIX else Numbered(self.path)
        self._rows: list[list[dict[str, float]]] = [[] for _ in range(episodes)]

    def __deepcopy__(self, memo: dict[int, Any]) -> TableJournal:
        """SettingError: two environments would write the same files."""
        do = "make one without log= for what is to be copied or pickled"
        raise SettingError("an environment that writes no log", "one that does", do)

    __reduce_ex__ = __deepcopy__  # type: ignore[assignment]

    def begin(self, e: int) -> None:
        """Begin the episode of number e."""
        self._rows[e] = []

    def step(
        self, which: Array, times: Array, actions: Array, rewards: Array, report: Mapping[str, Any]
    ) -> None:
        """Record a decision of the episodes `which`, bool[E]; times in s, [E], are those of it."""
        for e in np.flatnonzero(which).tolist():
            costs = {f"{COST_PREFIX}{name}": one[e] for name, one in report["costs"].items()}
            self._rows[e].append(
                {
                    "time_s": times[e],
                    "action": actions[e],
                    "reward": rewards[e],
                    "cost": report["cost"][e],
                    **costs,
                }
            )

    def write(self, e: int, tasks: Mapping[str, Array], about: Mapping[str, Any]) -> None:
        """Write the episode of number e, which has ended."""
        rows = self._rows[e]
        columns = {name: np.array([row[name] for row in rows]) for name in (rows or [{}])[0]}
        sums = {name: float(columns[name].sum()) for name in columns if name.startswith("cost")}
        total = float(columns["reward"].sum()) if rows else 0.0
        whole = {**about, "decisions": len(rows), "return": total, "costs": sums}
        found = EpisodeTables(tasks, columns if self.level == "events" else None, whole)
        with nullcontext(self.path) if self._numbered is None else self._numbered.path() as path:
            found.write(path)


def table_journal(episodes: int, path: str | Path | None, level: str) -> TableJournal | None:
    """Return a journal; None where nothing is logged. SettingError for an unknown level."""
    if path is None or check_level(level) == "none":
        check_level(level)
        return None
    return TableJournal(episodes, path, level)
