"""PandaGrid/Pipelines-v0 as a gymnasium.Env: the batch of one; knows no dynamics.

A decision runs a model's pipeline at a place, or defers; time runs to the next request or review
when it defers. Running a model that asked for it accepts its request; running another retrains it
now. An episode ends (truncated) at its horizon. Observation and settings are described in
`panda_gym.environments.pipeline.observation` and
`panda_gym.environments.pipeline.scenario.PipelineScenario`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from panda_gym.environments.base.info import one_info
from panda_gym.environments.pipeline.batch import PipelineBatch
from panda_gym.environments.pipeline.scenario import PipelineScenario
from panda_gym.errors import SettingError, check_seed
from panda_gym.pipelines.history import History

Array = np.ndarray


def observation_space(batch: PipelineBatch) -> spaces.Dict:
    """Space of one fleet's observation; every feature lies in [0, 1]."""
    boxes: dict[str, spaces.Space] = {
        name: spaces.Box(0.0, 1.0, shape=part.shape[1:], dtype=np.float32)
        for name, part in batch.observe().items()
        if name != "action_mask"
    }
    return spaces.Dict({**boxes, "action_mask": spaces.MultiBinary(batch.actions)})


class PipelineEnv(gymnasium.Env):
    """One fleet. Keywords are the fields of PipelineScenario and of Fleet."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(self, *, render_mode: None = None, **settings: Any) -> None:
        if render_mode is not None:
            raise SettingError("render_mode None", repr(render_mode), "read env.history() instead")
        self.render_mode = render_mode
        self.batch = PipelineBatch(PipelineScenario.of(**settings), 1)
        self.batch.begin([(0, np.random.default_rng(0))])
        self.observation_space = observation_space(self.batch)
        self.action_space = spaces.Discrete(self.batch.actions)
        self._began = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, Any]]:
        """Draw requests and luck from the seed; run to the first decision."""
        super().reset(seed=None if seed is None else check_seed(seed))
        self.batch.begin([(0, self.np_random)])
        self._began = True
        return self.batch.observe_one(0), one_info(self.batch.report(), 0)

    def step(self, action: Any) -> tuple[dict[str, Array], float, bool, bool, dict[str, Any]]:
        """Run a model at a place, or defer; run to the next decision."""
        if not self._began or bool(self.batch.done[0]):
            raise SettingError("an episode under way", "none", "call reset() first")
        self.batch.step(np.asarray(action).reshape(1))
        reward, info = float(self.batch.rewards()[0]), one_info(self.batch.report(), 0)
        return self.batch.observe_one(0), reward, False, bool(self.batch.done[0]), info

    def action_masks(self) -> Array:
        """What may be done, bool[models * places + 1]."""
        return self.batch.mask()[0].astype(bool)

    def history(self) -> History:
        """All runs so far, or of the episode that ended."""
        return self.batch.history(0)
