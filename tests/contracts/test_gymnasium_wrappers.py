"""Gymnasium's own wrappers count right around every registered environment.

The vector form resets in the step that ends an episode (SAME_STEP). Gymnasium releases before 1.3
counted such episodes wrongly; the lower bound in pyproject.toml rests on this file.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import panda_gym

JOBS = 5
SETTINGS = {
    "PandaGrid/Placement-v0": {"jobs": JOBS, "scale": 0.01},
    "PandaGrid/DataPlacement-v0": {"jobs": JOBS, "scale": 0.01},
}
"""Keywords that make an episode short; {} by default."""


def legal(space: gymnasium.Space, masks: np.ndarray) -> np.ndarray:
    """The first legal action of each grid; the masks of an action's parts stand side by side."""
    sizes = [int(space.n)] if isinstance(space, spaces.Discrete) else list(space.nvec)
    parts = np.split(masks.astype(bool), np.cumsum(sizes)[:-1], axis=1)
    actions = np.stack([part.argmax(axis=1) for part in parts], axis=1)
    return actions[:, 0] if isinstance(space, spaces.Discrete) else actions


@pytest.mark.parametrize("name", sorted(panda_gym.ENVIRONMENTS))
def test_vector_statistics_are_the_sums_of_an_episode(name: str) -> None:
    vector = RecordEpisodeStatistics(gymnasium.make_vec(name, num_envs=2, **SETTINGS.get(name, {})))
    observation, _ = vector.reset(seed=[1, 2])
    returns, lengths, ended = np.zeros(2), np.zeros(2, dtype=int), 0
    for _ in range(4_000):
        action = legal(vector.single_action_space, observation["action_mask"])
        observation, rewards, terminated, truncated, info = vector.step(action)
        returns, lengths = returns + rewards, lengths + 1
        done = terminated | truncated
        for e in np.flatnonzero(done):
            assert info["episode"]["l"][e] == lengths[e]
            assert info["episode"]["r"][e] == pytest.approx(returns[e], rel=1e-5)
        returns[done], lengths[done], ended = 0.0, 0, ended + int(done.sum())
        if ended >= 4:
            return
    pytest.fail("no episode ended in 4,000 steps")
