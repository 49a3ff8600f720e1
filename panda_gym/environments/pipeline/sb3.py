"""`PandaGrid/Pipelines-v0` as a stable-baselines3 VecEnv on one kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from panda_gym.environments.base.sb3 import BatchVecEnv
from panda_gym.environments.pipeline.batch import PipelineBatch
from panda_gym.environments.pipeline.scenario import PipelineScenario
from panda_gym.pipelines.history import History


@final
class PipelineVecEnv(BatchVecEnv):
    """E fleets side by side; see `PipelineEnv` for actions, observations and rewards.

    Other keywords are those of `PipelineEnv`.
    """

    methods = ("history",)
    batch: PipelineBatch

    def __init__(
        self,
        num_envs: int = 1,
        *,
        observation: str = "dict",
        copy: bool = True,
        info: str = "full",
        seed: int | None = None,
        log: str | Path | None = None,
        log_level: str = "jobs",
        **settings: Any,
    ) -> None:
        scenario = PipelineScenario.of(**settings)
        batch = PipelineBatch(scenario, num_envs, observation, log=log, log_level=log_level)
        super().__init__(batch, copy=copy, info=info, seed=seed)

    def history(self, e: int) -> History:
        """Return all runs of fleet e so far."""
        return self.batch.history(e)
