"""A batch of one as a gymnasium.Env; the families derive their classes from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from panda_gym.environments.base.batch import Batch
from panda_gym.environments.base.info import check_info, one_info, report
from panda_gym.environments.base.settings import Painter, check_options, check_render_mode
from panda_gym.errors import check_seed

Array = np.ndarray


class BatchEnv(gymnasium.Env):
    """One episode at a time, with Gymnasium's interface."""

    _paint: Callable[[int], Any] | None

    def __init__(
        self,
        batch: Batch,
        render_mode: str | None = None,
        painter: Painter | None = None,
        info: str = "full",
    ) -> None:
        check_render_mode(type(self).__name__, render_mode, tuple(self.metadata["render_modes"]))
        self.batch, self._info = batch, check_info(info)
        self.render_mode = render_mode
        self.observation_space = batch.observation_space()
        self.action_space = batch.action_space()
        self._painter, self._paint = painter, None

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the renderer, which a copy makes anew."""
        return vars(self) | {"_paint": None}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the same seed gives the same episode. No options are known.

        SeedError for a seed that is no non-negative integer, SettingError for options.
        """
        check_options(options)
        super().reset(seed=None if seed is None else check_seed(seed))
        self.batch.begin([(0, self.np_random)])
        return self.batch.observe_one(0), one_info(report(self.batch, self._info), 0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one decision and run to the next; see the class for what an action means.

        SettingError for an action of a wrong type or shape, and outside an episode.
        """
        batch = self.batch
        several = len(batch.action_shape) > 1
        batch.step(np.asarray(action)[None] if several else np.atleast_1d(action))
        return (
            batch.observe_one(0),
            float(batch.rewards()[0]),
            bool(batch.terminated[0]),
            bool(batch.truncated[0]),
            one_info(report(batch, self._info), 0),
        )

    def action_masks(self) -> Array:
        """Return which actions are legal, bool[A]; parts of an action stand behind each other."""
        return self.batch.masks()[0]

    def render(self) -> Any:
        """Return the episode as it is now in the render mode; None without a mode."""
        if self.render_mode is None or self._painter is None:
            return None
        if self._paint is None:
            self._paint = self._painter(self.render_mode, self.batch)
        return self._paint(0)

    def close(self) -> None:
        """End the threads; a closed environment takes no further step."""
        self.batch.close()
