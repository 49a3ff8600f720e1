"""Trained agents that ship with the package, as policies by name.

policy = panda_gym.policies.create("difference-reward-scorer")

Each folder `zoo/<name>` holds weights and a card with the command, the seed, the versions and the
learning curve behind them (`panda_gym.environments.placement.policies.learned.read_card`). They
were trained on streams of shipped surrogates alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from panda_gym.deprecated import old_names
from panda_gym.environments.placement.policies.learned import Learned


@dataclass(frozen=True)
class DifferenceRewardScorer(Learned):
    """Greedy agent trained on difference rewards in ten scenarios and loads.

    See `panda_gym.training.difference_reward`. The price of WAN traffic was chosen on training
    seeds: it halves the bytes moved for 1 % of slowdown (see the page on training).
    """

    folder: str | Path = "difference-reward-scorer"
    price_wan_tb: float = 50.0


@dataclass(frozen=True)
class ScaleFreeScorer(Learned):
    """Greedy agent for every scale from .01 to 1, trained on difference rewards in random grids.

    See `panda_gym.environments.placement.policies.scale_free_value` and the domain `scales` of
    `panda_gym.training.domain`. The price of WAN traffic was chosen on training seeds: it cuts a
    third of the bytes moved at no cost in slowdown.
    """

    folder: str | Path = "scale-free-scorer"
    price_wan_tb: float = 20.0


@dataclass(frozen=True)
class PPOScorer(Learned):
    """Greedy agent trained by MaskablePPO with the equivariant scorer, reward `predicted`."""

    folder: str | Path = "ppo-scorer"


__getattr__ = old_names(__name__)
