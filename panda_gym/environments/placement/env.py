"""PandaGrid/Placement-v0 as a gymnasium.Env: the batch of one; knows no dynamics.

A job arrives; the action names a site; time runs to the next arrival. An episode is a fixed
number of jobs and is truncated, never terminated. Observation, reward and costs are described
in `panda_gym.environments.placement.observation`, `panda_gym.environments.placement.reward` and
`panda_gym.environments.placement.cost`, the settings in
`panda_gym.environments.placement.scenario.Scenario`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.info import one_info
from panda_gym.environments.placement.batch import PlacementBatch, upper_bounds
from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import SettingError, check_seed
from panda_gym.simulator import EpisodeLog

Array = np.ndarray


def observation_space(batch: PlacementBatch) -> spaces.Space:
    """Space of one grid's observation: a Dict, or the Box of the flat view."""
    n, jobs = len(batch.platform), batch.scenario.decisions
    parts = {
        "sites": np.repeat(upper_bounds(SITE_FEATURES)[:, None], n, axis=1),
        "job": upper_bounds(JOB_FEATURES),
        "grid": upper_bounds(GRID_FEATURES),
    }
    # The tides of the grid's part run from -1 to 1; everything else is at least 0.
    low = {name: np.zeros_like(high) for name, high in parts.items()}
    low["grid"][:] = -1.0
    if jobs > 1:  # one more axis in front: the jobs to be placed
        low, parts = (
            {name: np.repeat(part[None], jobs, axis=0) for name, part in side.items()}
            for side in (low, parts)
        )
    lead = (jobs,) if jobs > 1 else ()
    if batch.observation == "flat":
        low_flat, high_flat = (
            np.concatenate([part.reshape(*lead, -1) for part in side.values()], axis=-1)
            for side in (low, parts)
        )
        return spaces.Box(low_flat, high_flat, dtype=np.float32)
    boxes: dict[str, spaces.Space] = {
        name: spaces.Box(low[name], high, dtype=np.float32) for name, high in parts.items()
    }
    mask = batch.parts["action_mask"].shape[1:]
    return spaces.Dict({**boxes, "action_mask": spaces.MultiBinary(mask if jobs > 1 else mask[0])})


def action_space(batch: PlacementBatch) -> spaces.Space:
    """Space of one grid's action.

    Discrete(A): a site, or A - 1 to defer where that is on. MultiDiscrete of K such for K jobs at
    once. With actions on data MultiDiscrete([A, 1 + 2 S]): where the job goes, and 0 for nothing,
    1 + s to replicate its input to site s, 1 + S + s to evict its replica at s. Masks stand side
    by side in the same order.
    """
    n, scenario = len(batch.platform), batch.scenario
    places = n + scenario.defer
    if scenario.data_actions:
        return spaces.MultiDiscrete([places, 1 + 2 * n])
    if scenario.decisions > 1:
        return spaces.MultiDiscrete([places] * scenario.decisions)
    return spaces.Discrete(places)


class PlacementEnv(gymnasium.Env):
    """One grid. Keywords are the fields of `panda_gym.environments.placement.scenario.Scenario`.

    With log=PATH every episode is written as it ends, see `panda_gym.episode_log`.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 20}  # noqa: RUF012

    def __init__(
        self,
        *,
        observation: str = "dict",
        render_mode: str | None = None,
        log: str | Path | None = None,
        log_level: str = "jobs",
        **settings: Any,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise SettingError(
                f"render_mode in {self.metadata['render_modes']} or None",
                repr(render_mode),
                "choose one",
            )
        self.batch = PlacementBatch(
            Scenario.of(**settings), 1, observation, log=log, log_level=log_level
        )
        self.render_mode = render_mode
        self._draw: Callable[[int], Any] | None = None
        self.observation_space = observation_space(self.batch)
        self.action_space = action_space(self.batch)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what draws, which a copy makes anew."""
        return vars(self) | {"_draw": None}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; the same seed gives the same episode. No options are known."""
        super().reset(seed=None if seed is None else check_seed(seed))
        self.batch.begin([(0, self.np_random)])
        return self.batch.observe_one(0), one_info(self.batch.report(), 0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Send the job to site `action`; an illegal one goes to the fallback and costs."""
        batch = self.batch
        wide = len(batch.action_shape) > 1
        batch.step(np.asarray(action)[None] if wide else np.atleast_1d(action))
        return (
            batch.observe_one(0),
            float(batch.rewards()[0]),
            False,
            bool(batch.simulator.done[0]),
            one_info(batch.report(), 0),
        )

    def action_masks(self) -> Array:
        """Which actions are legal, bool[A]; of several dimensions, one after the other."""
        return self.batch.simulator.mask[0].astype(bool).ravel()

    def episode_log(self, drain: bool = True) -> EpisodeLog:
        """The episode's jobs so far; with `drain`, after all placed jobs have ended.

        Draining lets time run on, so the episode is over: reset before the next step.
        """
        return self.batch.log(0, drain)

    def render(self) -> Any:
        """The grid in mode "ansi" as a table of the busiest sites, in mode "rgb_array" as a frame.

        A frame is uint8[H, W, 3], see `panda_gym.environments.placement.rendering.frame`.
        """
        if self.render_mode is None:
            return None
        if self._draw is None:
            from panda_gym.environments.placement.rendering import drawing

            self._draw = drawing(self.render_mode, self.batch)
        return self._draw(0)
