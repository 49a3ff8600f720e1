"""The settings of a training run; knows numbers, never an environment."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Final

from panda_gym.errors import PolicyError, check_seed

ALGORITHMS: Final = ("maskable_ppo",)
"""Learners that `train` knows."""


@dataclass(frozen=True)
class TrainConfig:
    """One training run, whole: same settings, same scenario, same agent."""

    algo: str = "maskable_ppo"
    """Learner, one of ALGORITHMS."""
    steps: int = 200_000
    """Decisions to learn from; rounded up to whole rollouts."""
    num_envs: int = 64
    """Environments stepped together."""
    rollout_steps: int = 32
    """Decisions an environment between two updates."""
    batch_size: int = 128
    """Decisions a gradient step."""
    epochs: int = 2
    """Passes over a rollout."""
    learning_rate: float = 1e-3
    """Adam's step size at the beginning; it falls linearly to `learning_rate_end`."""
    learning_rate_end: float = 1e-4
    """Adam's step size at the end."""
    gamma: float = 0.5
    """Discount a decision; the default reward speaks of the job just placed, so it is short."""
    gae_lambda: float = 0.9
    """Decay of the generalised advantage estimate."""
    clip_range: float = 0.2
    """Clipping of the probability ratio."""
    ent_coef: float = 0.002
    """Weight of the entropy bonus."""
    vf_coef: float = 0.5
    """Weight of the value loss."""
    max_grad_norm: float = 0.5
    """Gradients are scaled down to this norm."""
    hidden: int = 32
    """Width of the layers that all sites share."""
    critic: int = 64
    """Width of the critic's layer."""
    seed: int = 0
    """Seed of the weights, the actions and the worlds."""
    threads: int = 1
    """Threads of torch; more were slower on networks of this size."""
    checkpoint_every: int = 10
    """Rollouts between two checkpoints."""
    renew_every: int = 1000
    """Rollouts after which all worlds begin anew, which bounds what a resumed run replays."""

    def __post_init__(self) -> None:
        if self.algo not in ALGORITHMS:
            raise PolicyError("a learner", repr(self.algo), f"choose one of {ALGORITHMS}")
        check_seed(self.seed)
        for field in dataclasses.fields(self):
            if field.type == "int" and field.name != "seed":
                self._whole(field.name)
            elif field.type == "float":
                self._number(field.name)

    @property
    def rollout(self) -> int:
        """Decisions between two updates."""
        return self.num_envs * self.rollout_steps

    @property
    def total_steps(self) -> int:
        """`steps`, rounded up to whole rollouts."""
        return -(-self.steps // self.rollout) * self.rollout

    def _whole(self, name: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise PolicyError(f"{name} as a positive whole number", repr(value), "change it")

    def _number(self, name: str) -> None:
        value = getattr(self, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        top = 1.0 if name in ("gamma", "gae_lambda") else math.inf
        if not number or not math.isfinite(value) or not 0.0 <= value <= top:
            raise PolicyError(f"{name} from 0 to {top:g}", repr(value), "change it")
