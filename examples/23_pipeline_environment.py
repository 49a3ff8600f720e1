"""Policies in PandaGrid/Pipelines-v0: what delays and placements do to quality hours and cost."""

from __future__ import annotations

import gymnasium
import numpy as np

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.pipeline import policies

envs = gymnasium.make_vec(
    "PandaGrid/Pipelines-v0", num_envs=4, days=5.0, training_slots=1, reward="net"
)
for name in policies.names():
    policy, rng = policies.create(name), np.random.default_rng(0)
    observation, _ = envs.reset(seed=0)
    total, over = np.zeros(4), np.zeros(4, dtype=bool)
    while not over.all():
        observation, reward, _, done, _ = envs.step(policy(observation, rng))
        total += np.where(over, 0.0, reward)
        over |= done
    print(f"{name}: quality hours minus cost {total.mean():.1f}")
