"""`PandaGrid/Pipelines-v0` as a gymnasium.Env."""

from __future__ import annotations

from typing import Any, final

from panda_gym.environments.base.env import BatchEnv
from panda_gym.environments.pipeline.batch import PipelineBatch
from panda_gym.environments.pipeline.scenario import PipelineScenario
from panda_gym.pipelines.history import History


@final
class PipelineEnv(BatchEnv):
    """One fleet. Keywords are the fields of PipelineScenario and of Fleet."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012
    batch: PipelineBatch

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        super().__init__(PipelineBatch(PipelineScenario.of(**settings), 1), render_mode)

    def history(self) -> History:
        """Return all runs so far, or of the episode that ended."""
        return self.batch.history(0)
