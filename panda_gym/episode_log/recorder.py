"""Records rewards and costs of the steps, and numbers the logs of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.episode_log.logged import COST_PREFIX, REWARDS, Steps

Array = np.ndarray


class Recorder:
    """Sums rewards and costs of the steps of E grids, by the row that each step decided."""

    def __init__(self, grids: int, rows: int) -> None:
        self._shape = (grids, rows)
        self.count = np.zeros(self._shape, dtype=np.int32)
        self.sums: dict[str, Array] = {}

    def begin(self, e: int) -> None:
        """Begin a new episode in grid e."""
        self.count[e] = 0
        for values in self.sums.values():
            values[e] = 0.0

    def step(self, rows: Array, reward: Array, report: Mapping[str, Any]) -> None:
        """Record a step of all grids.

        rows: the row that each decided, int64[E], -1 none. reward: float64[E].
        report: `PlacementBatch.report()`.
        """
        grids = np.flatnonzero(rows >= 0)
        rows = rows[grids]
        self.count[grids, rows] += 1
        self._add("reward", grids, rows, reward[grids])
        for name in REWARDS[1:]:
            self._add(name, grids, rows, report[name][grids])
        for name, values in report["costs"].items():
            self._add(f"{COST_PREFIX}{name}", grids, rows, values[grids])

    def steps(self, e: int, n: int) -> Steps:
        """Return rewards and costs of grid e up to now, over the n rows of its log."""
        paid = {name: values[e, :n].copy() for name, values in self.sums.items()}
        rewards = {name: paid.pop(name, np.zeros(n)) for name in REWARDS}
        costs = {name.removeprefix(COST_PREFIX): values for name, values in paid.items()}
        return Steps(count=self.count[e, :n].copy(), costs=costs, **rewards)

    def _add(self, name: str, grids: Array, rows: Array, values: Array) -> None:
        if name not in self.sums:
            self.sums[name] = np.zeros(self._shape)
        self.sums[name][grids, rows] += values


NAME: Final = "episode-{:06d}.parquet"


class Numbered:
    """Numbered paths in one folder, continued after existing files.

    Several writers may share the folder, in other processes too: each number is given out once.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        found = sorted(self.folder.glob("episode-[0-9]*.parquet"))
        numbers = [p.stem.removeprefix("episode-").removesuffix(".events") for p in found]
        self.next = 1 + max((int(n) for n in numbers if n.isdigit()), default=-1)

    @contextmanager
    def path(self) -> Iterator[Path]:
        """Yield the next path that no other writer has; it is to be written in the block."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = self.folder / NAME.format(self.next)
            claim = path.with_name(f".{path.stem}.claimed")
            self.next += 1
            try:
                claim.touch(exist_ok=False)
            except FileExistsError:
                continue
            try:
                if not path.exists():
                    yield path
                    return
            finally:
                claim.unlink(missing_ok=True)
