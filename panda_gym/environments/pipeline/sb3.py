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

    @staticmethod
    def make_batch(
        num_envs: int,
        observation: str,
        *,
        ranked: bool = False,
        log: str | Path | None = None,
        log_level: str = "jobs",
        **settings: Any,
    ) -> PipelineBatch:
        """Return the batch; settings are the fields of `PipelineScenario`."""
        scenario = PipelineScenario.of(**settings)
        return PipelineBatch(
            scenario, num_envs, observation, ranked=ranked, log=log, log_level=log_level
        )

    def history(self, e: int) -> History:
        """Return all runs of fleet e so far."""
        return self.batch.history(e)
