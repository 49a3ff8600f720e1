"""Wrap the placement environment into the interfaces that other libraries ask for.

ScoreAction    a score for every site instead of its number: learners of Box actions
               (OmniSafe, FSRL, OSRL)
SafetyTuple    step() gives the cost beside the reward, as Safety-Gymnasium does
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from panda_gym.errors import SettingError

Array = np.ndarray


class ScoreAction(gymnasium.ActionWrapper):
    """Scores float32[S] in [-1, 1]; the job goes to the legal site of the highest.

    Among equals the first. SettingError for a wrong shape or a score that is not a number.
    """

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        if not isinstance(env.action_space, spaces.Discrete):
            raise SettingError("an environment of Discrete actions", f"{env.action_space}", "none")
        self.sites = int(env.action_space.n)
        self.action_space = spaces.Box(-1.0, 1.0, (self.sites,), np.float32)

    def action(self, action: Array) -> int:
        """Return the legal site of the highest score."""
        scores = np.asarray(action, dtype=np.float64)
        if scores.shape != (self.sites,) or np.isnan(scores).any():
            raise SettingError(
                f"{self.sites} scores, none of them NaN",
                f"shape {scores.shape}, {int(np.isnan(scores).sum())} NaN",
                "pass one score a site",
            )
        legal = self.unwrapped.action_masks()  # type: ignore[attr-defined]
        return int(np.where(legal, scores, -np.inf).argmax())


class SafetyTuple(gymnasium.Wrapper):
    """step() returns observation, reward, cost, terminated, truncated, info."""

    def step(  # type: ignore[override]
        self, action: Any
    ) -> tuple[Any, float, float, bool, bool, dict[str, Any]]:
        """As the environment's, with info["cost"] after the reward."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, float(reward), float(info["cost"]), terminated, truncated, info
