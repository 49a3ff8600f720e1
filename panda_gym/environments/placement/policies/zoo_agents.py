"""Trained agents that ship with the package, as policies by name; knows how none was trained.

policy = panda_gym.environments.placement.policies.create("hindsight-scorer")

Each folder `zoo/<name>` holds weights and a card with the command, the seed, the versions and the
learning curve behind them (`panda_gym.environments.placement.policies.learned.read_card`). All of
them have learned from
the default surrogate's stream alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from panda_gym.environments.placement.policies.learned import Learned


@dataclass(frozen=True)
class HindsightScorer(Learned):
    """Learned what every decision cost in the end, on ten scenarios and loads; greedy.


    See `panda_gym.training.difference_reward`. The price of WAN was chosen on training seeds: it
    halves the
    bytes moved for 1 % of slowdown (docs/results/training.md).
    """

    folder: str | Path = "hindsight-scorer"
    price_wan_tb: float = 50.0


@dataclass(frozen=True)
class PPOScorer(Learned):
    """MaskablePPO over the permutation-equivariant scorer, reward `predicted`; greedy."""

    folder: str | Path = "ppo-scorer"
