"""`PandaGrid/Workflow-v0` as a gymnasium.Env."""

from __future__ import annotations

from typing import Any, final

from panda_gym.environments.base.env import BatchEnv
from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.workflows.execution import Execution


@final
class WorkflowEnv(BatchEnv):
    """One running workflow. Keywords are the fields of WorkflowScenario."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012
    batch: WorkflowBatch

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        super().__init__(WorkflowBatch(WorkflowScenario.of(**settings), 1), render_mode)

    def execution(self) -> Execution:
        """Return the times of every task after the episode's end; SettingError before."""
        return self.batch.execution(0)
