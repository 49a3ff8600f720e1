"""Settings of training runs, checked when they are made."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from panda_gym.credit import find_objective
from panda_gym.deprecated import old_keywords, old_names, renamed_value
from panda_gym.errors import PolicyError, check_seed, nearest

ALGORITHMS: Final = ("maskable_ppo", "ppo", "a2c", "dqn", "ppo_lagrangian", "difference_reward")
"""Learners that `panda-grid train` offers; all but the last are TrainConfig's."""

NETWORKS: Final = ("site_value", "scale_free_value")
"""Networks that `difference_reward` fits."""

RENAMED_FIELDS: Final = {"most": "external_cost_max"}
"""Name of a setting in release 0.1 to today's name."""

FIRST_SEED: Final = 1_000_000
"""Training and its evaluations use seeds from here on; benchmarks use seeds below."""


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run of `train`: same settings and same scenario give the same agent."""

    algo: str = "maskable_ppo"
    """Learner, one of ALGORITHMS."""
    steps: int = 200_000
    """Decisions to learn from; rounded up to whole rollouts."""
    num_envs: int = 64
    """Environments stepped together."""
    rollout_steps: int = 32
    """Decisions of each environment between two updates."""
    batch_size: int = 128
    """Decisions in a gradient step."""
    epochs: int = 2
    """Passes over a rollout."""
    learning_rate: float = 1e-3
    """Adam's step size at the start; it falls linearly to `learning_rate_end`."""
    learning_rate_end: float = 1e-4
    """Adam's step size at the end."""
    gamma: float = 0.0
    """Discount per decision; 0, because the default reward is that of the job just placed."""
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
    """Seed of the weights, the actions and the episodes."""
    threads: int = 1
    """Threads of torch; more were slower on networks of this size."""
    checkpoint_every: int = 10
    """Rollouts between two checkpoints."""
    renew_every: int = 1000
    """Rollouts after which all episodes restart; this bounds what a resumed run has to replay."""
    cost_limit: float | None = None
    """Limit of ppo_lagrangian on the mean cost per decision; None for the others."""
    loads: tuple[float, ...] = ()
    """Curriculum: loads in order, each for the same share of training; none: the scenario's."""
    memory_steps: int = 20_000
    """Size of DQN's replay buffer, decisions; 19 kB each on 150 sites."""
    evaluate_every: int = 0
    """Rollouts between two evaluations of the greedy agent on held-out seeds; 0: none."""
    evaluate_envs: int = 8
    """Held-out grids."""
    device: str = "cpu"
    """Where the network is: cpu, cuda, cuda:0, ..."""
    objective: str = ""
    """Objective whose difference rewards replace the reward, a name of
    `panda_gym.credit.OBJECTIVES`; empty: the environment's reward. Needs gamma=0."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "algo", check_algorithm(self.algo))
        check_fields(self)
        if self.algo == "difference_reward":
            do = "use panda_gym.training.difference_reward"
            raise PolicyError("DifferenceRewardConfig for difference_reward", "TrainConfig", do)
        if self.algo != "ppo_lagrangian" and self.cost_limit is not None:
            came = f"{self.algo} with {self.cost_limit}"
            raise PolicyError("no cost limit but for ppo_lagrangian", came, "--algo ppo_lagrangian")
        for load in self.loads:
            _number("loads", load)
        if self.objective:
            self._check_objective()

    def _check_objective(self) -> None:
        """Raise for an unknown objective (SettingError) or a discount (PolicyError)."""
        find_objective(self.objective)
        if self.gamma != 0.0:
            came = f"gamma={self.gamma:g}"
            raise PolicyError("gamma=0: a difference reward holds the future", came, "pass it")

    @property
    def rollout(self) -> int:
        """Decisions of all environments between two updates."""
        return self.num_envs * self.rollout_steps

    @property
    def total_steps(self) -> int:
        """`steps`, rounded up to whole rollouts."""
        return -(-self.steps // self.rollout) * self.rollout

    def stage(self, rollouts: int) -> int:
        """Return the index in `loads` after so many rollouts."""
        total = self.total_steps // self.rollout
        return min(rollouts * len(self.loads) // total, max(len(self.loads) - 1, 0))

    def begins(self, rollouts: int) -> bool:
        """Whether all episodes restart before the next rollout."""
        if rollouts % self.renew_every == 0:
            return True
        return self.stage(rollouts) != self.stage(rollouts - 1)


@old_keywords(**RENAMED_FIELDS)
@dataclass(frozen=True)
class DifferenceRewardConfig:
    """Settings of a run of `panda_gym.training.difference_reward`: same settings, same agent."""

    steps: int = 1_000_000
    """Decisions to learn from; rounded up to whole rounds."""
    num_envs: int = 32
    """Grids of each scenario; each plays one episode a round."""
    objective: str = "ln_slowdown"
    """What is minimised, a name of `panda_gym.credit.OBJECTIVES`."""
    network: str = "site_value"
    """Kind of the network: site_value, or scale_free_value, which is right at every scale."""
    domain: str = ""
    """Domain from which each round draws its grids, see `panda_gym.training.domain`; empty: the
    given scenarios."""
    external_weight: float = 1.0
    """Factor on the objective's weight of the external cost; 0: each job minds itself only."""
    external_cost_max: float | None = None
    """The external cost of a decision is clipped here; None: where the objective says."""
    price_wan_tb: float = 0.0
    """Price of a TB moved between sites, in units of the objective, added to its own."""
    price_wasted_core_h: float = 0.0
    """Price of a core hour held without finishing, in the same units."""
    start: str = ""
    """Folder of an agent of the same shape to start from; empty: random weights."""
    temperature_first: float = 0.3
    """Temperature of the first round, which samples by ln(predicted completion)."""
    temperature: float = 0.15
    """Temperature of the second round; it falls geometrically to `temperature_end`."""
    temperature_end: float = 0.02
    """Temperature at the end."""
    window: int = 8
    """Rounds kept in the replay memory."""
    epochs: int = 3
    """Passes over the replay memory in a round."""
    batch_size: int = 1024
    """Decisions in a gradient step."""
    learning_rate: float = 2e-3
    """Adam's step size; within each round it falls linearly to a fiftieth."""
    hidden: int = 64
    """Width of the network's layers."""
    depth: int = 2
    """Number of layers."""
    members: int = 1
    """Networks of the ensemble, whose mean is taken."""
    evaluate_every: int = 1
    """Rounds between two evaluations of the greedy agent; 0: after the last one only."""
    evaluate_envs: int = 16
    """Held-out grids of each scenario."""
    seed: int = 0
    """Seed of the weights, the actions and the episodes."""
    threads: int = 1
    """Threads that step grids."""
    torch_threads: int = 1
    """Threads of torch."""
    device: str = "cpu"
    """Where the network is: cpu, cuda, cuda:0, ..."""
    checkpoints: bool = True
    """Whether an interrupted run can be resumed; some 140 bytes for each decision in memory."""

    def __post_init__(self) -> None:
        check_fields(self)
        if self.network not in NETWORKS:
            hint = f"{nearest(self.network, NETWORKS)}; known: {', '.join(NETWORKS)}"
            raise PolicyError("a kind of network", repr(self.network), hint)
        objective = find_objective(self.objective)
        if self.external_cost_max is None:
            object.__setattr__(self, "external_cost_max", objective.external_max)
        _number("external_cost_max", self.external_cost_max)


def check_algorithm(algo: str) -> str:
    """Return today's name of a learner; PolicyError suggests the nearest of an unknown one."""
    name = renamed_value("learner", algo)
    if name not in ALGORITHMS:
        hint = f"{nearest(str(algo), ALGORITHMS)}; known: {', '.join(ALGORITHMS)}"
        raise PolicyError("a learner", repr(algo), hint)
    return name


def renamed_fields(settings: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a checkpoint with fields of 0.1 under today's names.

    defaults: of fields that 0.1 did not have.
    """
    config = settings.get("config", {})
    known = {RENAMED_FIELDS.get(k, k): v for k, v in config.items()}
    return {**settings, "config": {**defaults, **known}}


def check_device(device: str) -> None:
    """Raise PolicyError unless torch finds the device."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        came = f"{device!r}: {str(error).splitlines()[0]}"
        raise PolicyError("a device of torch", came, "pass --device cpu") from error


def check_fields(config: TrainConfig | DifferenceRewardConfig) -> None:
    """Raise PolicyError for a number out of its range."""
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


__getattr__ = old_names(__name__)
