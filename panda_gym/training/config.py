"""The settings of a training run; knows numbers, never an environment."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Final

from panda_gym.errors import PolicyError, check_seed, nearest

ALGORITHMS: Final = ("maskable_ppo", "ppo", "a2c", "dqn", "ppo_lagrangian", "hindsight")
"""Learners that `panda-grid train` knows; all but the last are TrainConfig's."""

FIRST_SEED: Final = 1_000_000
"""Training and its evaluations draw worlds with seeds from here on: below is for benchmarks."""


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
    cost_limit: float | None = None
    """Mean cost a decision that ppo_lagrangian allows; None for the others."""
    loads: tuple[float, ...] = ()
    """Curriculum: loads in the order of training, each for as long; none: the scenario's."""
    memory_steps: int = 20_000
    """Decisions that DQN remembers, 19 kB each on 150 sites."""
    evaluate_every: int = 0
    """Rollouts between two evaluations of the greedy agent on held-out seeds; 0: none."""
    evaluate_envs: int = 8
    """Held-out grids."""
    device: str = "cpu"
    """Where the network is: cpu, cuda, cuda:0, ..."""

    def __post_init__(self) -> None:
        check_algorithm(self.algo)
        check_fields(self)
        if self.algo == "hindsight":
            raise PolicyError("HindsightConfig for hindsight", "TrainConfig", "see `hindsight`")
        if self.algo != "ppo_lagrangian" and self.cost_limit is not None:
            came = f"{self.algo} with {self.cost_limit}"
            raise PolicyError("no cost limit but for ppo_lagrangian", came, "--algo ppo_lagrangian")
        for load in self.loads:
            _number("loads", load)

    @property
    def rollout(self) -> int:
        """Decisions between two updates."""
        return self.num_envs * self.rollout_steps

    @property
    def total_steps(self) -> int:
        """`steps`, rounded up to whole rollouts."""
        return -(-self.steps // self.rollout) * self.rollout

    def stage(self, rollouts: int) -> int:
        """Which of `loads` holds after so many rollouts."""
        total = self.total_steps // self.rollout
        return min(rollouts * len(self.loads) // total, max(len(self.loads) - 1, 0))

    def begins(self, rollouts: int) -> bool:
        """Whether all worlds begin anew before the next rollout."""
        if rollouts % self.renew_every == 0:
            return True
        return self.stage(rollouts) != self.stage(rollouts - 1)


@dataclass(frozen=True)
class HindsightConfig:
    """One run of `panda_gym.training.difference_reward`, whole: same settings, same agent."""

    steps: int = 1_000_000
    """Decisions to learn from; rounded up to whole rounds."""
    num_envs: int = 32
    """Grids of each scenario; all play one episode a round."""
    external_weight: float = 1.0
    """What the cost for others counts beside the job's own; 0: selfish."""
    most: float = 10.0
    """The cost for others is cut here."""
    price_wan_tb: float = 0.0
    """What a TB moved between sites counts beside a unit of ln(bounded slowdown)."""
    price_wasted_core_h: float = 0.0
    """What a core hour held in vain counts."""
    start: str = ""
    """Agent of this kind and shape to go on from; none: from nothing."""
    temperature_first: float = 0.3
    """Temperature of the first round, which draws from ln(predicted completion)."""
    temperature: float = 0.15
    """Temperature of the second round; it falls geometrically to `temperature_end`."""
    temperature_end: float = 0.02
    """Temperature at the end."""
    window: int = 8
    """Rounds that are learned from together."""
    epochs: int = 3
    """Passes over the window a round."""
    batch_size: int = 1024
    """Decisions a gradient step."""
    learning_rate: float = 2e-3
    """Adam's step size; within each round it falls linearly to a fiftieth."""
    hidden: int = 64
    """Width of the network's layers."""
    depth: int = 2
    """How many there are."""
    members: int = 1
    """Networks whose mean is taken."""
    evaluate_every: int = 1
    """Rounds between two evaluations of the greedy agent."""
    evaluate_envs: int = 16
    """Held-out grids of each scenario."""
    seed: int = 0
    """Seed of the weights, the actions and the worlds."""
    threads: int = 1
    """Threads that step grids."""
    torch_threads: int = 1
    """Threads of torch."""
    device: str = "cpu"
    """Where the network is: cpu, cuda, cuda:0, ..."""
    checkpoints: bool = True
    """Whether a killed run can go on; the file holds the window, some 140 bytes a decision."""

    def __post_init__(self) -> None:
        check_fields(self)


def check_algorithm(algo: str) -> None:
    """PolicyError unless it is the name of a learner; the nearest is suggested."""
    if algo not in ALGORITHMS:
        hint = f"{nearest(str(algo), ALGORITHMS)}; known: {', '.join(ALGORITHMS)}"
        raise PolicyError("a learner", repr(algo), hint)


def check_device(device: str) -> None:
    """PolicyError unless torch finds the device."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        came = f"{device!r}: {str(error).splitlines()[0]}"
        raise PolicyError("a device of torch", came, "pass --device cpu") from error


def check_fields(config: TrainConfig | HindsightConfig) -> None:
    """PolicyError for a number out of its range."""
    check_seed(config.seed)
    for field in dataclasses.fields(config):
        if field.type == "int" and field.name != "seed":
            least = 0 if field.name == "evaluate_every" else 1
            _whole(field.name, getattr(config, field.name), least)
        elif field.type == "float":
            _number(field.name, getattr(config, field.name))


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise PolicyError(f"{name} as a whole number >= {least}", repr(value), "change it")


def _number(name: str, value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    top = 1.0 if name in ("gamma", "gae_lambda") else math.inf
    if not number or not math.isfinite(value) or not 0.0 <= value <= top:
        raise PolicyError(f"{name} from 0 to {top:g}", repr(value), "change it")
