"""A batch as a gymnasium.vector.VectorEnv; the families derive their classes from it.

Three autoreset modes are known (Gymnasium's `AutoresetMode`):

- SAME_STEP (default): the step that ends an episode returns the first observation of the next one;
  the last one of the old episode is `infos["final_obs"]`, its info `infos["final_info"]`.
- NEXT_STEP: the step after the last one begins the next episode; its action is ignored and its
  reward is 0.
- DISABLED: `reset(options={"reset_mask": mask})` begins new episodes where the mask says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from panda_gym.environments.base.autoreset import begin_again, spread_seeds
from panda_gym.environments.base.batch import Batch
from panda_gym.environments.base.info import check_info, masked, report
from panda_gym.environments.base.settings import (
    Painter,
    autoreset,
    check_render_mode,
    reset_mask,
    step_limit,
)

Array = np.ndarray


class BatchVectorEnv(VectorEnv):
    """E episodes side by side, with Gymnasium's vector interface."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012
    _paint: Callable[[int], Any] | None

    def __init__(
        self,
        batch: Batch,
        *,
        render_mode: str | None = None,
        painter: Painter | None = None,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        max_episode_steps: int | None = None,
        info: str = "full",
    ) -> None:
        check_render_mode(
            type(self).__name__, render_mode, tuple(type(self).metadata["render_modes"])
        )
        self.batch, self.num_envs, self._info = batch, len(batch), check_info(info)
        self.copy, self.render_mode = copy, render_mode
        self.autoreset_mode, self._limit = autoreset(autoreset_mode), step_limit(max_episode_steps)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = batch.observation_space()
        self.single_action_space = batch.action_space()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._generators = [np.random.default_rng() for _ in range(self.num_envs)]
        self._steps = np.zeros(self.num_envs, dtype=np.int64)
        self._due = np.zeros(self.num_envs, dtype=bool)
        """Episodes that have ended and begin anew in the next step, bool[E]."""
        self._painter, self._paint = painter, None

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the renderer, which a copy makes anew."""
        return vars(self) | {"_paint": None}

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode everywhere; episode e gets seed + e.

        options: {"reset_mask": bool[E]} begins new episodes only where the mask is true.
        """
        which = reset_mask(options, self.num_envs)
        for e, one in enumerate(spread_seeds(seed, self.num_envs)):
            if one is not None and which[e]:
                self._generators[e] = np.random.default_rng(one)
        self._begin(which)
        return self.batch.observe(self.copy), masked(report(self.batch, self._info), which)

    def step(self, actions: Any) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        """Take one decision everywhere; ended episodes begin anew as the autoreset mode says."""
        batch, due = self.batch, self._due
        if due.any():
            rewards = self._step_or_begin(actions, due.copy())
        else:
            batch.step(actions)
            rewards = batch.rewards()
        self._steps += 1
        terminated, truncated = batch.terminated, batch.truncated
        if self._limit is not None:
            truncated = truncated | (self._steps >= self._limit)
        return self._ended(rewards, terminated, truncated)

    def _step_or_begin(self, actions: Any, due: Array) -> Array:
        """Begin the episodes that are due and take a decision in the others; the rewards."""
        checked = self.batch.check_actions(actions)
        self._begin(due)
        if not due.all():
            self.batch.step(checked, ~due)
        self._steps[due] = -1  # this step counts for the others alone
        return np.where(due, 0.0, self.batch.rewards())

    def _ended(
        self, rewards: Array, terminated: Array, truncated: Array
    ) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        """What `step` returns, after new episodes where they begin in the same step."""
        batch, done = self.batch, terminated | truncated
        told, infos = report(batch, self._info, rewards), {}
        if done.any():
            if self.autoreset_mode is AutoresetMode.SAME_STEP:
                infos = begin_again(batch, self._generators, done, told)
                self._steps[done] = 0
                told = report(batch, self._info)
            elif self.autoreset_mode is AutoresetMode.NEXT_STEP:
                self._due = done.copy()
        infos.update(masked(told, np.ones(self.num_envs, dtype=bool)))
        return batch.observe(self.copy), rewards, terminated, truncated, infos

    def _begin(self, which: Array) -> None:
        self.batch.begin((e, self._generators[e]) for e in np.flatnonzero(which).tolist())
        self._steps[which] = 0
        self._due = self._due & ~which

    def action_masks(self) -> Array:
        """Return which actions are legal, bool[E, A]; parts of an action one after the other."""
        return self.batch.masks()

    def render(self) -> tuple[Any, ...] | None:
        """Return every episode as it is now in the render mode; None without a mode."""
        if self.render_mode is None or self._painter is None:
            return None
        if self._paint is None:
            self._paint = self._painter(self.render_mode, self.batch)
        return tuple(self._paint(e) for e in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads; a closed environment takes no further step."""
        self.batch.close()
