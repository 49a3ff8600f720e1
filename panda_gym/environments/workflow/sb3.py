"""`PandaGrid/Workflow-v0` as a stable-baselines3 VecEnv on one kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from panda_gym.environments.base.sb3 import BatchVecEnv
from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.workflows.execution import Execution


@final
class WorkflowVecEnv(BatchVecEnv):
    """E running workflows side by side; see `WorkflowEnv` for actions, observations and rewards.

    Other keywords are those of `WorkflowEnv`.
    """

    methods = ("execution",)
    batch: WorkflowBatch

    @staticmethod
    def make_batch(
        num_envs: int,
        observation: str,
        *,
        ranked: bool = False,
        log: str | Path | None = None,
        log_level: str = "jobs",
        **settings: Any,
    ) -> WorkflowBatch:
        """Return the batch; settings are the fields of `WorkflowScenario`."""
        scenario = WorkflowScenario.of(**settings)
        return WorkflowBatch(
            scenario, num_envs, observation, ranked=ranked, log=log, log_level=log_level
        )

    def execution(self, e: int) -> Execution:
        """Return the times of every task of execution e after its end; SettingError before."""
        return self.batch.execution(e)
