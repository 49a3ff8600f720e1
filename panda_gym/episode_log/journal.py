"""Writes the log of every episode of a batch as it ends; knows grids, no environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from panda_gym.episode_log.logged import LoggedEpisode, about, check_level
from panda_gym.episode_log.parquet import SUFFIX, write_log
from panda_gym.episode_log.recorder import Numbered, Recorder
from panda_gym.errors import SettingError
from panda_gym.simulator import Simulator

if TYPE_CHECKING:
    from panda_gym.jobs import JobStream

Array = np.ndarray


def drained(simulator: Simulator, e: int) -> Simulator:
    """A copy in which all placed jobs of grid e have ended; the grid itself stays as it is."""
    aside = simulator.copy()
    aside.drain(e)
    return aside


def room(rows: int) -> int:
    """Events to keep room for in an episode of so many attempts; what comes after is counted."""
    return min(EVENTS_A_ROW * rows + FEWEST_EVENTS, MOST_EVENTS)


EVENTS_A_ROW: Final = 48
FEWEST_EVENTS: Final = 200_000
MOST_EVENTS: Final = 4_000_000
"""128 MB."""


class Journal:
    """The logs of the episodes of E grids, under one path.

    A path that ends in .parquet is one file, the latest ended episode, and needs E = 1; any other
    is a folder of episode-000000.parquet and so on, in the order in which episodes end.
    """

    def __init__(
        self,
        simulator: Simulator,
        stream: JobStream,
        path: str | Path,
        *,
        level: str = "jobs",
        policy: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.path, self.level = Path(path), check_level(level)
        if self.path.suffix == SUFFIX and len(simulator) > 1:
            raise SettingError("a folder for the logs of several grids", str(path), "drop .parquet")
        self.simulator, self.stream = simulator, stream
        self.policy, self.settings = policy, settings
        self.seeds: list[int | None] = [None] * len(simulator)
        self.recorder = Recorder(len(simulator), simulator.world.jobs.shape[1])
        self._numbered = None if self.path.suffix == SUFFIX else Numbered(self.path)

    def begin(self, e: int, seed: int) -> None:
        """Grid e begins the episode drawn from `seed`."""
        self.seeds[e] = seed
        self.recorder.begin(e)

    def rows(self) -> Array:
        """The row of the log that each grid's next step decides, int64[E]; the first of several."""
        return self.simulator.world.turn[:, 0].astype(np.int64)

    def step(self, rows: Array, reward: Array, report: Mapping[str, Any]) -> None:
        """All grids made a step that decided `rows`; those that are done are written."""
        self.recorder.step(rows, reward, report)
        for e in np.flatnonzero(self.simulator.done).tolist():
            self.write(e)

    def episode(self, e: int) -> LoggedEpisode:
        """The episode of grid e so far, its placed jobs ended."""
        ended = drained(self.simulator, e)
        log = ended.log(e)
        world = about(
            self.simulator.platform,
            self.stream,
            clock_s=self.simulator.world.grids[e]["clock_0"],
            seed=self.seeds[e],
            policy=self.policy,
            settings=self.settings,
        )
        happened = None
        if self.level == "events":
            happened = ended.events(e)
            world["events_lost"] = ended.events_lost(e)
        return LoggedEpisode(log, self.recorder.steps(e, len(log)), world, happened)

    def write(self, e: int) -> None:
        """Write the episode of grid e."""
        if self.level != "none":
            path = self.path if self._numbered is None else self._numbered.path()
            write_log(self.episode(e), path)
