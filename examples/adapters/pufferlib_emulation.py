"""PufferLib: the environment behind its emulation, which flattens the observation.

    pip install torch==2.13.0
    pip install --no-deps pufferlib==2.0.2
    python examples/adapters/pufferlib_emulation.py

Nothing is to be written: `GymnasiumPufferEnv` takes a function that makes the environment.
"""

from __future__ import annotations

import gymnasium
import numpy as np
import pufferlib.emulation

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym import datasets

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
        flat = np.concatenate([np.ravel(part).astype(np.float32) for part in expected.values()])
        assert reward == same
        total += reward
    print(f"{seen.size} numbers in one array, return {total:.1f}, truncated {truncated}")
