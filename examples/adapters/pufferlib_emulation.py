"""PufferLib: the environment behind its emulation, which flattens the observation.

    pip install torch==2.13.0
    pip install --no-deps pufferlib==2.0.2 gym==0.26.2 gym-notices psutil
    python examples/adapters/pufferlib_emulation.py

Nothing is to be written: `GymnasiumPufferEnv` takes a function that makes the environment.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import pufferlib.emulation

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.offline import datasets

SMALL = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}


def make() -> gymnasium.Env:
    return gymnasium.make("PandaGrid/Placement-v0", **SMALL)


if __name__ == "__main__":
    env = pufferlib.emulation.GymnasiumPufferEnv(env_creator=make)
    plain = make()
    seen, _ = env.reset(seed=0)
    expected, _ = plain.reset(seed=0)
    rng, total = np.random.default_rng(0), 0.0
    for _ in range(50):
        action = int(rng.choice(np.flatnonzero(expected["action_mask"])))
        seen, reward, _, truncated, _ = env.step(action)
        expected, same, _, _, _ = plain.step(action)
        assert reward == same
        parts = seen.view(env.obs_dtype)[0]
        assert all(np.array_equal(parts[name], part) for name, part in expected.items())
        total += reward
    print(f"{seen.size} bytes in one array, return {total:.1f}, truncated {truncated}")
