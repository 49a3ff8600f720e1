"""`PandaGrid/Pipelines-v0` as a gymnasium.vector.VectorEnv on one kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from gymnasium.vector import AutoresetMode

from panda_gym.environments.base.vector_env import BatchVectorEnv
from panda_gym.environments.pipeline.batch import PipelineBatch
from panda_gym.environments.pipeline.rendering import painter
from panda_gym.environments.pipeline.scenario import PipelineScenario


@final
class PipelineVectorEnv(BatchVectorEnv):
    """E fleets side by side; see `PipelineEnv` for actions, observations and rewards.

    With copy=False observations may be views that the next step rewrites. With log=FOLDER every
    episode is written as it ends. `panda_gym.environments.base.vector_env` describes the autoreset
    modes.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 4,
    }
    batch: PipelineBatch

    def __init__(
        self,
        num_envs: int = 1,
        *,
        observation: str = "dict",
        ranked: bool = False,
        render_mode: str | None = None,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        max_episode_steps: int | None = None,
        info: str = "full",
        log: str | Path | None = None,
        log_level: str = "jobs",
        **settings: Any,
    ) -> None:
        super().__init__(
            PipelineBatch(
                PipelineScenario.of(**settings),
                num_envs,
                observation,
                ranked=ranked,
                log=log,
                log_level=log_level,
            ),
            render_mode=render_mode,
            painter=painter,
            copy=copy,
            autoreset_mode=autoreset_mode,
            max_episode_steps=max_episode_steps,
            info=info,
        )
