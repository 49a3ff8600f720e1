"""Policies in PandaGrid/Workflow-v0: on one pool, and on sites with transfers between them."""

from __future__ import annotations

import gymnasium
import numpy as np

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.workflow import policies

for settings in (
    {"workflow": "ddmd", "platform": "summit16"},
    {"workflow": "random:layered", "platform": "small15", "variants": 4},
):
    envs = gymnasium.make_vec("PandaGrid/Workflow-v0", num_envs=8, **settings)
    for name in policies.names():
        policy, rng = policies.create(name), np.random.default_rng(0)
        observation, _ = envs.reset(seed=0)
        ratio = np.full(envs.num_envs, np.nan)
        while np.isnan(ratio).any():
            observation, _, done, _, infos = envs.step(policy(observation, rng))
            if done.any():
                ended = infos["final_info"]
                first = done & np.isnan(ratio)
                ratio[first] = (ended["clock_s"] / ended["t_seq_s"])[first]
        print(f"{settings['workflow']}, {name}: makespan / t_seq = {ratio.mean():.3f}")
