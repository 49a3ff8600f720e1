"""Train MaskablePPO of sb3-contrib; a real run takes some hundred thousand steps."""

from __future__ import annotations

from sb3_contrib import MaskablePPO

import panda_gym

if __name__ == "__main__":
    grids = panda_gym.sb3_vec_env(num_envs=8, jobs=64)
    agent = MaskablePPO("MultiInputPolicy", grids, n_steps=32, batch_size=64, seed=0)
    agent.learn(total_timesteps=512)
    print("steps:", agent.num_timesteps)
