"""Train placement agents with stable-baselines3, or on difference rewards.

from panda_gym.training import TrainConfig, train
trained = train("runs/agent", TrainConfig(steps=100_000), scenario={"scale": 0.02})
policy = trained.policy()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from panda_gym.training.config import ALGORITHMS, DifferenceRewardConfig, TrainConfig

if TYPE_CHECKING:
    from panda_gym.training.difference_reward import train_difference_reward
    from panda_gym.training.difference_reward_callback import DifferenceRewardCallback
    from panda_gym.training.relabelling import RelabelledEpisodes, relabelled_episodes
    from panda_gym.training.run import Training, train
    from panda_gym.training.settled_replay import SettledDictReplayBuffer, SettledReplayBuffer
    from panda_gym.training.time_discount_callback import TimeDiscountCallback
    from panda_gym.training.workflow_search import fit_workflow_sites

__all__ = [
    "ALGORITHMS",
    "DifferenceRewardCallback",
    "DifferenceRewardConfig",
    "RelabelledEpisodes",
    "SettledDictReplayBuffer",
    "SettledReplayBuffer",
    "TimeDiscountCallback",
    "TrainConfig",
    "Training",
    "fit_workflow_sites",
    "relabelled_episodes",
    "train",
    "train_difference_reward",
]

_LAZY = {
    "DifferenceRewardCallback": "panda_gym.training.difference_reward_callback",
    "RelabelledEpisodes": "panda_gym.training.relabelling",
    "SettledDictReplayBuffer": "panda_gym.training.settled_replay",
    "SettledReplayBuffer": "panda_gym.training.settled_replay",
    "TimeDiscountCallback": "panda_gym.training.time_discount_callback",
    "Training": "panda_gym.training.run",
    "fit_workflow_sites": "panda_gym.training.workflow_search",
    "relabelled_episodes": "panda_gym.training.relabelling",
    "train": "panda_gym.training.run",
    "train_difference_reward": "panda_gym.training.difference_reward",
}
"""Names that load torch when they are first used, by module."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
