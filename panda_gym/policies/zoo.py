"""Trained agents that ship with the package; knows their folders, never how they were trained.

policy = panda_gym.policies.create("hindsight-scorer")

Each folder `zoo/<name>` holds weights and a card with the command, the seed, the versions and the
learning curve behind them (`panda_gym.policies.learned.read_card`). All of them have learned from
the default surrogate's stream alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from panda_gym.policies.learned import Learned, agent_folder

ZOO: Final = Path(__file__).parent / "zoo"
"""Where the agents lie."""

NAMES: Final = ("hindsight-scorer", "ppo-scorer")
"""The agents that ship."""


@dataclass(frozen=True)
class HindsightScorer(Learned):
    """What every decision cost in the end, learned on ten scenarios and loads; greedy.

    See `panda_gym.training.hindsight`.
    """

    folder: str | Path = agent_folder(ZOO / "hindsight-scorer")


@dataclass(frozen=True)
class PPOScorer(Learned):
    """MaskablePPO over the permutation-equivariant scorer, reward `predicted`; greedy."""

    folder: str | Path = agent_folder(ZOO / "ppo-scorer")
