"""Discount by the time between decisions, as in semi-Markov decision processes.

Decisions of event-driven environments are not equally far apart: `info["elapsed_s"]` says how far.
A discount a step then values a future minute by how many decisions lie before it. A semi-Markov
process discounts by time instead: a decision is worth r + exp(-elapsed / horizon) V(next), with
the horizon in s (Bradtke and Duff 1995, Reinforcement learning methods for continuous-time Markov
decision problems, Advances in Neural Information Processing Systems 7, equations 4 to 6).

- `TimeDiscount` discounts inside the environment, for any learner with a discount of 1.
- `panda_gym.training.TimeDiscountCallback` discounts inside learners of stable-baselines3, so that
  late rewards do not shrink.
- Others read `info["elapsed_s"]` and call `discount`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from panda_gym.errors import SettingError

Array = np.ndarray


def discount(elapsed_s: Any, horizon_s: float) -> Any:
    """Return exp(-elapsed / horizon): what a reward is worth that comes after `elapsed_s`, s."""
    return np.exp(-np.asarray(elapsed_s, dtype=np.float64) / horizon_s)


def mean_discount(elapsed_s: Any, horizon_s: float) -> Any:
    """Return the mean discount over an interval: of a reward that accrues evenly during it.

    It is (1 - exp(-x)) / x with x = elapsed / horizon, and 1 at x = 0.
    """
    x = np.asarray(elapsed_s, dtype=np.float64) / horizon_s
    return np.where(x > 0.0, -np.expm1(-x) / np.where(x > 0.0, x, 1.0), 1.0)


def check_horizon(horizon_s: float) -> float:
    """Return the horizon; SettingError if it is not above 0 and finite."""
    if not isinstance(horizon_s, int | float) or not 0.0 < horizon_s < float("inf"):
        raise SettingError("horizon_s above 0, in seconds", repr(horizon_s), "change horizon_s=")
    return float(horizon_s)


class TimeDiscount(gymnasium.Wrapper):
    """Discount rewards by the time since the episode's start, for learners with a discount of 1.

    The return is then that of the semi-Markov process. A reward is taken to accrue evenly until
    the next decision, unless `accrues` is false: then it is paid at its decision.
    `info["discount"]` is the discount of the step, exp(-elapsed / horizon).

    Args:
        env: an environment whose info has `elapsed_s`.
        horizon_s: time after which a reward is worth 1/e, s.
        accrues: whether rewards accrue between decisions.

    Raises:
        SettingError: `horizon_s` is not above 0.
    """

    def __init__(self, env: gymnasium.Env, horizon_s: float, accrues: bool = True) -> None:
        super().__init__(env)
        self.horizon_s, self.accrues = check_horizon(horizon_s), accrues
        self._worth = 1.0

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, at which a reward is worth itself."""
        observation, info = self.env.reset(**given)
        self._worth = 1.0
        return observation, {**info, "discount": 1.0}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a decision; the reward is discounted."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        elapsed = info["elapsed_s"]
        share = float(mean_discount(elapsed, self.horizon_s)) if self.accrues else 1.0
        paid = float(reward) * share * self._worth
        info = {**info, "discount": float(discount(elapsed, self.horizon_s))}
        self._worth *= info["discount"]
        return observation, paid, terminated, truncated, info
