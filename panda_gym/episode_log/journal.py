"""Writes the log of every episode of a batch when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
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
    """Return a copy of the simulator in which all placed jobs of grid e have ended."""
    aside = simulator.copy()
    aside.drain(e)
    return aside


def event_capacity(rows: int) -> int:
    """Return the size of the event buffer for an episode of that many attempts."""
    return min(EVENTS_PER_ROW * rows + FEWEST_EVENTS, MOST_EVENTS)


EVENTS_PER_ROW: Final = 48
FEWEST_EVENTS: Final = 200_000
MOST_EVENTS: Final = 4_000_000
"""128 MB."""


class Journal:
    """Writes the logs of the episodes of E grids under one path.

    A path that ends in .parquet is one file, rewritten by each episode, and needs E = 1. Any other
    path is a folder of episode-000000.parquet and so on, in the order in which episodes end.
    SettingError for a file and several grids.
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
        self.recorder = Recorder(len(simulator), simulator.rows)
        self._numbered = None if self.path.suffix == SUFFIX else Numbered(self.path)

    def begin(self, e: int, seed: int) -> None:
        """Begin the episode of grid e that was drawn from `seed`."""
        self.seeds[e] = seed
        self.recorder.begin(e)

    def rows(self) -> Array:
        """Return the row that each grid's next step decides, int64[E]; the first of several."""
        return self.simulator.pending[:, 0]

    def step(self, rows: Array, reward: Array, report: Mapping[str, Any]) -> None:
        """Record a step that decided `rows` (-1: none); write the episodes that it ended."""
        self.recorder.step(rows, reward, report)
        for e in np.flatnonzero(self.simulator.done & (rows >= 0)).tolist():
            self.write(e)

    def episode(self, e: int) -> LoggedEpisode:
        """Return the episode of grid e up to now, continued until its placed jobs have ended."""
        ended = drained(self.simulator, e)
        log = ended.log(e)
        world = about(
            self.simulator.platform,
            self.stream,
            clock_s=self.simulator.week_time(e),
            seed=self.seeds[e],
            policy=self.policy,
            settings=self.settings,
        )
        events = None
        if self.level == "events":
            events = ended.events(e)
            world["events_lost"] = ended.events_lost(e)
        return LoggedEpisode(log, self.recorder.steps(e, len(log)), world, events)

    def write(self, e: int) -> None:
        """Write the episode of grid e."""
        if self.level == "none":
            return
        with nullcontext(self.path) if self._numbered is None else self._numbered.path() as path:
            write_log(self.episode(e), path)
