"""PandaGrid/Workflow-v0 as a gymnasium.Env: the batch of one; knows no dynamics.

A decision names a ready task set and a site, or holds; time runs to the next decision. An
episode ends (terminated) when all tasks have ended. Observation and settings are described in
`panda_gym.environments.workflow.observation` and
`panda_gym.environments.workflow.scenario.WorkflowScenario`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.info import one_info
from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.errors import SettingError, check_seed
from panda_gym.workflows.execution import Execution

Array = np.ndarray


def observation_space(batch: WorkflowBatch) -> spaces.Dict:
    """Space of one execution's observation; every feature lies in [0, 1]."""
    parts = batch.observe(copy=False)
    boxes: dict[str, spaces.Space] = {
        name: spaces.Box(0.0, 1.0, shape=part.shape[1:], dtype=np.float32)
        for name, part in parts.items()
        if name != "action_mask"
    }
    return spaces.Dict({**boxes, "action_mask": spaces.MultiBinary(batch.actions)})


class WorkflowEnv(gymnasium.Env):
    """One running workflow. Keywords are the fields of WorkflowScenario."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(self, *, render_mode: None = None, **settings: Any) -> None:
        if render_mode is not None:
            raise SettingError(
                "render_mode None", repr(render_mode), "plot env.execution() instead"
            )
        self.render_mode = render_mode
        self.batch = WorkflowBatch(WorkflowScenario.of(**settings), 1)
        self.observation_space = observation_space(self.batch)
        self.action_space = spaces.Discrete(self.batch.actions)
        self._began = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, Any]]:
        """Draw a workflow and its durations from the seed; run to the first decision."""
        super().reset(seed=None if seed is None else check_seed(seed))
        self.batch.begin([(0, self.np_random)])
        self._began = True
        return self.batch.observe_one(0), one_info(self.batch.report(), 0)

    def step(self, action: Any) -> tuple[dict[str, Array], float, bool, bool, dict[str, Any]]:
        """Place tasks of a slot's set at a site, or hold; run to the next decision."""
        if not self._began or bool(self.batch.done[0]):
            raise SettingError("an episode under way", "none", "call reset() first")
        self.batch.step(np.asarray(action).reshape(1))
        reward, info = float(self.batch.rewards()[0]), one_info(self.batch.report(), 0)
        return self.batch.observe_one(0), reward, bool(self.batch.done[0]), False, info

    def action_masks(self) -> Array:
        """What may be done, bool[slots * sites + 1]."""
        return self.batch.view.mask[0].astype(bool)

    def execution(self) -> Execution:
        """Times of every task, after the episode's end."""
        return self.batch.execution(0)
