"""PandaGrid/Pipelines-v0 as a gymnasium.vector.VectorEnv on one kernel; knows no dynamics.

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
from panda_gym.environments.pipeline.batch import PipelineBatch
from panda_gym.environments.pipeline.env import observation_space
from panda_gym.environments.pipeline.scenario import PipelineScenario
from panda_gym.errors import SettingError

Array = np.ndarray


class PipelineVectorEnv(VectorEnv):
    """E fleets side by side. Keywords are the fields of PipelineScenario and of Fleet."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        *,
        render_mode: None = None,
        max_episode_steps: int | None = None,
        **settings: Any,
    ) -> None:
        if max_episode_steps is not None or render_mode is not None:
            raise SettingError(
                "no max_episode_steps and no render_mode",
                f"{max_episode_steps!r}, {render_mode!r}",
                "leave them out",
            )
        self.batch = PipelineBatch(PipelineScenario.of(**settings), num_envs)
        self.num_envs, self.render_mode = num_envs, render_mode
        self._generators = [np.random.default_rng() for _ in range(num_envs)]
        self.batch.begin(enumerate(self._generators))
        self.single_observation_space = observation_space(self.batch)
        self.single_action_space = spaces.Discrete(self.batch.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Array], dict[str, Any]]:
        """Begin an episode everywhere; fleet e gets seed + e. No options are known."""
        for e, one in enumerate(spread_seeds(seed, self.num_envs)):
            if one is not None:
                self._generators[e] = np.random.default_rng(one)
        self.batch.begin(enumerate(self._generators))
        everywhere = np.ones(self.num_envs, dtype=bool)
        return self.batch.observe(), masked(self.batch.report(), everywhere)

    def step(self, actions: Any) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        """One decision everywhere; fleets whose episode ends begin anew in the same step."""
        batch = self.batch
        batch.step(actions)
        rewards, done, report = batch.rewards(), batch.done.copy(), batch.report()
        infos: dict[str, Any] = {}
        if done.any():
            infos = begin_again(batch, self._generators, done, report)
            report = batch.report()
        infos.update(masked(report, np.ones(self.num_envs, dtype=bool)))
        terminated = np.zeros(self.num_envs, dtype=bool)
        return batch.observe(), rewards, terminated, done, infos

    def action_masks(self) -> Array:
        """What may be done, bool[E, models * places + 1]."""
        return self.batch.mask().astype(bool)
