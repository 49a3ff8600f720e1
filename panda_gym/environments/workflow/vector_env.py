"""PandaGrid/Workflow-v0 as a gymnasium.vector.VectorEnv on one kernel; knows no dynamics.

Autoreset is SAME_STEP: the step that ends an episode returns the first observation of the next
one, and the last of the old one as infos["final_obs"], with its info as infos["final_info"].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from panda_gym.environments.base.autoreset import begin_again, spread_seeds
from panda_gym.environments.base.info import masked
from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.env import observation_space
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.errors import SettingError

Array = np.ndarray


class WorkflowVectorEnv(VectorEnv):
    """E running workflows side by side. Keywords are the fields of WorkflowScenario.

    With copy=False observations are views that the next step rewrites.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        *,
        render_mode: None = None,
        copy: bool = True,
        max_episode_steps: int | None = None,
        **settings: Any,
    ) -> None:
        if max_episode_steps is not None or render_mode is not None:
            raise SettingError(
                "no max_episode_steps and no render_mode",
                f"{max_episode_steps!r}, {render_mode!r}",
                "leave them out",
            )
        self.batch = WorkflowBatch(WorkflowScenario.of(**settings), num_envs)
        self.num_envs, self.copy, self.render_mode = num_envs, copy, render_mode
        self.single_observation_space = observation_space(self.batch)
        self.single_action_space = spaces.Discrete(self.batch.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [np.random.default_rng() for _ in range(num_envs)]

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Array], dict[str, Any]]:
        """Begin an episode everywhere; execution e gets seed + e. No options are known."""
        for e, one in enumerate(spread_seeds(seed, self.num_envs)):
            if one is not None:
                self._generators[e] = np.random.default_rng(one)
        self.batch.begin(enumerate(self._generators))
        everywhere = np.ones(self.num_envs, dtype=bool)
        return self.batch.observe(self.copy), masked(self.batch.report(), everywhere)

    def step(self, actions: Any) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        """One decision everywhere; executions that end begin anew in the same step."""
        batch = self.batch
        batch.step(actions)
        rewards, done, report = batch.rewards(), batch.done, batch.report()
        infos: dict[str, Any] = {}
        if done.any():
            infos = begin_again(batch, self._generators, done, report)
            report = batch.report()
        infos.update(masked(report, np.ones(self.num_envs, dtype=bool)))
        truncated = np.zeros(self.num_envs, dtype=bool)
        return batch.observe(self.copy), rewards, done, truncated, infos

    def action_masks(self) -> Array:
        """What may be done, bool[E, slots * sites + 1]."""
        return self.batch.view.mask.astype(bool)
