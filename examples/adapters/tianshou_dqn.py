"""Tianshou: DQN over its vector environments, with masks as it takes them.

    pip install tianshou==2.0.1        # needs pandas < 3
    python examples/adapters/tianshou_dqn.py

Tianshou looks for `obs.mask` beside `obs.obs`: one small wrapper says so.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from tianshou.algorithm import DQN
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.utils.net.common import Net
from tianshou.utils.torch_utils import policy_within_training_step

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.offline import datasets

SMALL = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}


class Masked(gymnasium.ObservationWrapper):
    """The flat view as `obs` and the mask as `mask`."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        mask = spaces.MultiBinary(int(env.action_space.n))
        self.observation_space = spaces.Dict({"obs": env.observation_space, "mask": mask})

    def observation(self, observation: np.ndarray) -> dict[str, Any]:
        return {"obs": observation, "mask": self.get_wrapper_attr("action_masks")()}


def make() -> gymnasium.Env:
    return Masked(gymnasium.make("PandaGrid/Placement-v0", observation="flat", **SMALL))


if __name__ == "__main__":
    grids = DummyVectorEnv([make] * 4)
    grids.seed(0)
    one = make()
    shape, sites = one.observation_space["obs"].shape, one.action_space.n
    network = Net(state_shape=shape, action_shape=sites, hidden_sizes=[64, 64])
    policy = DiscreteQLearningPolicy(
        model=network, action_space=one.action_space, eps_training=0.2, eps_inference=0.0
    )
    learner = DQN(policy=policy, optim=AdamOptimizerFactory(lr=1e-3), gamma=0.9)
    memory = VectorReplayBuffer(2_000, 4)
    collector = Collector[Any](learner, grids, memory, exploration_noise=True)
    collector.reset()
    for _ in range(10):
        with policy_within_training_step(policy):
            collector.collect(n_step=40)
            learner.update(memory, sample_size=64)
    played = Collector[Any](learner, DummyVectorEnv([make] * 4)).collect(
        n_episode=4, reset_before_collect=True
    )
    kept = memory.sample_indices(0)  # all of them
    assert memory.obs.mask[kept, memory.act[kept]].all(), "an illegal site was taken"
    print(f"{len(memory)} decisions seen, return {played.returns.mean():.1f}")
