"""`PandaGrid/Placement-v0` as a gymnasium.Env."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from panda_gym.environments.base.env import BatchEnv
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.rendering import painter
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.simulator import EpisodeLog


@final
class PlacementEnv(BatchEnv):
    """One grid. Keywords are the fields of `panda_gym.environments.placement.scenario.Scenario`.

    With log=PATH every episode is written as it ends, see `panda_gym.episode_log`.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 20}  # noqa: RUF012
    batch: PlacementBatch

    def __init__(
        self,
        *,
        observation: str = "dict",
        render_mode: str | None = None,
        log: str | Path | None = None,
        log_level: str = "jobs",
        **settings: Any,
    ) -> None:
        scenario = Scenario.of(**settings)
        batch = PlacementBatch(scenario, 1, observation, log=log, log_level=log_level)
        super().__init__(batch, render_mode, painter)

    def episode_log(self, drain: bool = True) -> EpisodeLog:
        """Return the episode's jobs so far; with `drain`, after all placed jobs have ended.

        Draining lets time run on, so the episode is over: reset before the next step.
        """
        return self.batch.log(0, drain)
