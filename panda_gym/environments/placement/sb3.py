"""The placement environments as a stable-baselines3 VecEnv on one kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from panda_gym.deprecated import old_names
from panda_gym.environments.base.sb3 import BatchVecEnv
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.simulator import EpisodeLog


class PlacementVecEnv(BatchVecEnv):
    """E grids side by side; see `PlacementEnv` for actions, observations, rewards and costs.

    Other keywords are the fields of `panda_gym.environments.placement.scenario.Scenario`.
    `threads` share the grids; results are the same. `log`: as in `PlacementEnv`.
    """

    methods = ("episode_log",)
    batch: PlacementBatch

    @staticmethod
    def make_batch(
        num_envs: int,
        observation: str,
        *,
        ranked: bool = False,
        log: str | Path | None = None,
        log_level: str = "jobs",
        threads: int = 1,
        **settings: Any,
    ) -> PlacementBatch:
        """Return the batch; settings are the fields of `Scenario`."""
        scenario = Scenario.of(**settings)
        return PlacementBatch(
            scenario,
            num_envs,
            observation,
            ranked=ranked,
            log=log,
            log_level=log_level,
            threads=threads,
        )

    def episode_log(self, e: int, drain: bool = True) -> EpisodeLog:
        """The jobs of grid e; with `drain`, after all placed jobs have ended."""
        return self.batch.log(e, drain)


class DataPlacementVecEnv(PlacementVecEnv):
    """E grids side by side; see `DataPlacementEnv` for actions, observations, rewards and costs."""

    def __init__(self, num_envs: int = 1, **settings: Any) -> None:
        super().__init__(num_envs, **{"data_actions": True, **settings})


__getattr__ = old_names(__name__)
