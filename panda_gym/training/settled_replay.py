"""Replay buffers of stable-baselines3 that sample settled decisions only.

`DifferenceRewardCallback` marks a decision as settled when its episode has ended and its reward is
the difference reward. Until then the buffer holds the environment's reward, which is never sampled.

    DQN("MlpPolicy", env, replay_buffer_class=SettledReplayBuffer, gamma=0.0, ...)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer

from panda_gym.errors import PolicyError


class SettledRows(ReplayBuffer):
    """Rows of a replay buffer, one a step of all environments, with a mark: settled or not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settled = np.zeros((self.buffer_size, self.n_envs), dtype=bool)
        """Whether the reward is a difference reward, bool[buffer_size, n_envs]."""

    def rows(self) -> np.ndarray:
        """Return the positions whose steps are settled in all environments, int64[n]."""
        return np.flatnonzero(self.settled.all(axis=1))

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Add a step; it is not settled."""
        self.settled[self.pos] = False
        super().add(*args, **kwargs)

    def sample(self, batch_size: int, env: Any = None) -> Any:
        """Draw from the steps that are settled in all environments; PolicyError if none is."""
        rows = self.rows()
        if not len(rows):
            raise PolicyError(
                "a whole episode in the replay buffer before learning begins",
                f"{self.size()} steps of each environment, none of them settled",
                "raise learning_starts and buffer_size above jobs * num_envs",
            )
        drawn = np.random.randint(len(rows), size=batch_size)  # noqa: NPY002 - as in SB3
        return self._get_samples(rows[drawn], env=env)


class SettledReplayBuffer(SettledRows):
    """For observations that are one array ("MlpPolicy")."""


class SettledDictReplayBuffer(SettledRows, DictReplayBuffer):
    """For dictionaries of observations ("MultiInputPolicy")."""
