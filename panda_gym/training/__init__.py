"""Training of placement agents with stable-baselines3; see `train`.

from panda_gym.training import TrainConfig, train
trained = train("runs/agent", TrainConfig(steps=100_000), scenario={"scale": 0.02})
policy = trained.policy()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panda_gym.training.config import ALGORITHMS, TrainConfig

if TYPE_CHECKING:
    from panda_gym.training.run import Training, train

__all__ = ["ALGORITHMS", "TrainConfig", "Training", "train"]


def __getattr__(name: str) -> Any:
    if name not in ("Training", "train"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from panda_gym.training import run

    return getattr(run, name)
