"""PPO-Lagrangian: MaskablePPO with a limit on the mean cost per decision.

The problem is a constrained Markov decision process (Altman, 1999): maximise the return among
policies whose mean cost per step is at most d. PPO-Lagrangian (Ray, Achiam and Amodei,
"Benchmarking safe exploration in deep reinforcement learning", 2019) replaces the reward r by

    r' = (r - m c / d) / (1 + m)

and updates the multiplier m after every rollout by a PID rule on the relative excess of the cost
(Stooke, Achiam and Abbeel, "Responsive safety in RL by PID Lagrangian methods", ICML 2020).

NOTE[DIFF] one critic estimates r' instead of two that estimate r and c: m is constant within a
rollout, and the critic tracks it as it tracks the policy. Costs are divided by the limit, so that
one set of gains serves every limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from panda_gym.errors import PolicyError

Array = np.ndarray


@dataclass
class Multiplier:
    """PID controller of the Lagrange multiplier, which drives the mean cost to its limit."""

    limit: float
    """Limit on the mean cost per step, above 0."""
    proportional: float = 0.2
    """Gain on the smoothed excess."""
    integral: float = 0.02
    """Gain on its sum; a large sum changes in proportion to itself, so that it falls as fast."""
    derivative: float = 0.5
    """Gain on the increase of the cost from one rollout to the next."""
    smooth: float = 0.8
    """Share of the past in the smoothed excess."""
    maximum: float = 50.0
    """Upper bound of the multiplier."""
    patience: int = 25
    """Rollouts at the maximum with the cost above the limit before training is aborted."""
    tolerance: float = 0.1
    """Relative excess of the cost that still counts as within the limit."""
    value: float = 0.0
    """The multiplier."""
    total: float = 0.0
    """The integral part, not negative."""
    excess: float = 0.0
    """Smoothed mean cost / limit - 1, each at most 1."""
    before: float | None = None
    """The smoothed excess of the rollout before."""
    stuck: list[float] = field(default_factory=list)
    """Mean costs of the last rollouts at the maximum and above the limit."""

    def __post_init__(self) -> None:
        number = isinstance(self.limit, (int, float)) and not isinstance(self.limit, bool)
        if not number or not np.isfinite(self.limit) or self.limit <= 0.0:
            raise PolicyError("a cost limit above 0", repr(self.limit), "raise --cost-limit")

    def penalised(self, reward: Array, cost: Array) -> Array:
        """Return r' of rewards and costs of the same shape."""
        return (reward - self.value * cost / self.limit) / (1.0 + self.value)

    def update(self, cost: float) -> None:
        """Update the multiplier by the mean cost of a rollout; PolicyError if it stays too high."""
        excess = min(cost / self.limit - 1.0, 1.0)  # clipped against integral windup
        step = self.integral * excess * (1.0 + self.total)
        self.total = min(max(0.0, self.total + step), self.maximum)
        first = self.before is None
        self.excess = excess if first else self.smooth * self.excess + (1 - self.smooth) * excess
        rise = 0.0 if self.before is None else max(0.0, self.excess - self.before)
        self.before = self.excess
        wanted = self.proportional * self.excess + self.total + self.derivative * rise
        self.value = min(max(0.0, wanted), self.maximum)
        self._check(cost)

    def _check(self, cost: float) -> None:
        """Raise PolicyError if the maximum has not reduced the cost for `patience` rollouts."""
        above = cost > (1.0 + self.tolerance) * self.limit
        self.stuck = [*self.stuck, cost] if above and self.value >= self.maximum else []
        if len(self.stuck) >= self.patience:
            half = len(self.stuck) // 2
            early, late = np.mean(self.stuck[:half]), np.mean(self.stuck[half:])
            if late > 0.98 * early:
                raise PolicyError(
                    f"a cost limit that some policy reaches ({late:.4g} a decision was the least)",
                    f"{self.limit:g}",
                    "raise --cost-limit",
                )
            self.stuck = self.stuck[half:]

    def state(self) -> dict[str, Any]:
        """Return the state of the controller, as JSON."""
        names = ("value", "total", "excess", "before", "stuck")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: dict[str, Any]) -> None:
        """Set the state to what `state` returned."""
        for name, value in state.items():
            setattr(self, name, value)


class PenalisedRewards(VecEnvWrapper):
    """Return r' instead of r, and record the costs."""

    def __init__(self, venv: VecEnv, multiplier: Multiplier) -> None:
        super().__init__(venv)
        self.multiplier = multiplier
        self.costs: list[Array] = []
        """Costs of each step since `take_cost`, float64[E] each."""

    def reset(self) -> Any:
        """Return the first observation."""
        return self.venv.reset()

    def step_wait(self) -> Any:
        """Return the step with r' as its reward."""
        observation, rewards, dones, infos = self.venv.step_wait()
        cost = np.array([info["cost"] for info in infos], dtype=np.float64)
        self.costs.append(cost)
        penalised = self.multiplier.penalised(rewards, cost).astype(rewards.dtype)
        return observation, penalised, dones, infos

    def take_cost(self) -> float:
        """Return the mean cost per step since the last call."""
        mean = float(np.mean(self.costs)) if self.costs else float("nan")
        self.costs.clear()
        return mean


class PPOLagrangian(MaskablePPO):
    """MaskablePPO with a limit on the mean cost per step, read from info["cost"].

    cost_limit: limit on the mean cost per step. gains: fields of `Multiplier` by name.
    """

    def __init__(
        self,
        policy: Any,
        env: Any,
        *args: Any,
        cost_limit: float,
        gains: dict[str, float] | None = None,
        **settings: Any,
    ) -> None:
        self.multiplier = Multiplier(cost_limit, **(gains or {}))  # type: ignore[arg-type]
        super().__init__(policy, env, *args, **settings)
        self.env: Any = PenalisedRewards(self.env, self.multiplier)

    def penalised(self, rewards: Array) -> Array:
        """Return r' of other rewards of the rollout just collected, float[T, E]."""
        return self.multiplier.penalised(rewards, np.stack(self.env.costs))

    def collect_rollouts(self, env: Any, *args: Any, **settings: Any) -> bool:
        """Collect one rollout with a constant multiplier, then update the multiplier."""
        going_on = super().collect_rollouts(env, *args, **settings)
        cost = self.env.take_cost()
        self.logger.record("rollout/cost", cost)
        self.logger.record("rollout/multiplier", self.multiplier.value)
        self.multiplier.update(cost)
        return bool(going_on)
