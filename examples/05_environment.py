"""The environment: one grid, and sixteen of them on the same kernel."""

from __future__ import annotations

import gymnasium as gym

import panda_gym

env = gym.make("PandaGrid/Placement-v0", jobs=50)
observation, info = env.reset(seed=0)
observation, reward, terminated, truncated, info = env.step(
    env.action_space.sample(mask=observation["action_mask"])
)
print(f"reward {reward:.3f}, cost {info['cost']:.3f}", info["costs"])

grids = gym.make_vec("PandaGrid/Placement-v0", num_envs=16, jobs=50)
policy = panda_gym.policies.create("least_loaded")
observation, info = grids.reset(seed=0)
for _ in range(50):
    actions = policy(observation, grids.np_random)
    observation, reward, terminated, truncated, info = grids.step(actions)
print("all episodes over:", bool(truncated.all()))
