"""PandaGrid/Placement-v0 as a gymnasium.vector.VectorEnv on one kernel; knows no dynamics.

Autoreset is SAME_STEP: the step that ends an episode returns the first observation of the next
one, and the last of the old one as infos["final_obs"], with its info as infos["final_info"].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from panda_gym.environments.base.autoreset import begin_again, spread_seeds
from panda_gym.environments.base.info import masked
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.env import action_space, observation_space
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError
from panda_gym.simulator import EpisodeLog

Array = np.ndarray


class PlacementVectorEnv(VectorEnv):
    """E grids side by side. Keywords are the fields of
    `panda_gym.environments.placement.scenario.Scenario`.

    With copy=False observations are views that the next step rewrites. With log=FOLDER every
    episode is written as it ends, see `panda_gym.episode_log`. `threads` share the grids: the
    results are the same.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 20,
    }

    def __init__(
        self,
        num_envs: int = 1,
        *,
        observation: str = "dict",
        render_mode: str | None = None,
        copy: bool = True,
        log: str | Path | None = None,
        log_level: str = "jobs",
        max_episode_steps: int | None = None,
        threads: int = 1,
        **settings: Any,
    ) -> None:
        if max_episode_steps is not None:
            raise SettingError("no max_episode_steps", f"{max_episode_steps}", "pass jobs=")
        if render_mode not in (None, *self.metadata["render_modes"]):
            modes = f"render_mode in {self.metadata['render_modes']} or None"
            raise SettingError(modes, repr(render_mode), "choose one")
        self.batch = PlacementBatch(
            Scenario.of(**settings),
            num_envs,
            observation,
            log=log,
            log_level=log_level,
            threads=threads,
        )
        self.num_envs, self.copy, self.render_mode = num_envs, copy, render_mode
        self._draw: Callable[[int], Any] | None = None
        self.single_observation_space = observation_space(self.batch)
        self.single_action_space = action_space(self.batch)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [np.random.default_rng() for _ in range(num_envs)]

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what draws, which a copy makes anew."""
        return vars(self) | {"_draw": None}

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode in every grid; grid e gets seed + e. No options are known."""
        for e, one in enumerate(spread_seeds(seed, self.num_envs)):
            if one is not None:
                self._generators[e] = np.random.default_rng(one)
        self.batch.begin(enumerate(self._generators))
        everywhere = np.ones(self.num_envs, dtype=bool)
        return self.batch.observe(self.copy), masked(self.batch.report(), everywhere)

    def step(self, actions: Any) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        """Place one job in every grid; grids whose episode ends are reset in the same step."""
        batch = self.batch
        batch.step(actions)
        rewards, done = batch.rewards(), batch.simulator.done
        terminated, report = np.zeros(self.num_envs, dtype=bool), batch.report(rewards)
        everywhere = np.ones(self.num_envs, dtype=bool)
        infos: dict[str, Any] = {}
        if done.any():
            infos = begin_again(batch, self._generators, done, report)
            report = batch.report()
        infos.update(masked(report, everywhere))
        return batch.observe(self.copy), rewards, terminated, done, infos

    def action_masks(self) -> Array:
        """Which actions are legal, bool[E, A]; of several dimensions, one after the other."""
        return self.batch.simulator.mask.astype(bool).reshape(self.num_envs, -1)

    def episode_log(self, e: int, drain: bool = True) -> EpisodeLog:
        """The jobs of grid e; with `drain`, after all placed jobs have ended.

        Ended episodes are reset in the step that ends them: ask before the last step, or take
        the single environment.
        """
        return self.batch.log(e, drain)

    def render(self) -> tuple[Any, ...] | None:
        """Every grid as a table ("ansi") or as a frame, uint8[H, W, 3] ("rgb_array")."""
        if self.render_mode is None:
            return None
        if self._draw is None:
            from panda_gym.environments.placement.rendering import drawing

            self._draw = drawing(self.render_mode, self.batch)
        return tuple(self._draw(e) for e in range(self.num_envs))
