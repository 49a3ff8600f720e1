"""PufferLib 3: the environment behind its emulation, alone and in its vector form.

    pip install --no-deps pufferlib-core==3.0.23 psutil==7.2.2     # the wheel of PufferLib 3
    python examples/adapters/pufferlib_emulation.py

Nothing is to be written: `GymnasiumPufferEnv` takes a function that makes the environment. It puts
the parts of an observation into one row of bytes, which `obs_dtype` takes apart again.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pufferlib.emulation
import pufferlib.vector

import panda_gym  # noqa: F401  (registers the environments)

SMALL = {"jobs": 50, "scale": 0.1}


def make() -> gymnasium.Env:
    return gymnasium.make("PandaGrid/Placement-v0", **SMALL)


def emulated(buf: Any = None, seed: int = 0) -> pufferlib.emulation.GymnasiumPufferEnv:
    return pufferlib.emulation.GymnasiumPufferEnv(env_creator=make, buf=buf, seed=seed)


if __name__ == "__main__":
    env, plain = emulated(), make()
    seen, _ = env.reset(seed=0)
    expected, _ = plain.reset(seed=0)
    rng, total = np.random.default_rng(0), 0.0
    for _ in range(50):
        action = int(rng.choice(np.flatnonzero(expected["action_mask"])))
        seen, reward, _, truncated, _ = env.step(action)
        expected, same, _, _, _ = plain.step(action)
        assert reward == same
        parts = seen.view(env.obs_dtype)
        for name, part in expected.items():
            np.testing.assert_array_equal(parts[name].reshape(part.shape), part)
        total += reward
    print(f"{seen.size} bytes in one array, return {total:.1f}, truncated {truncated}")
    several = pufferlib.vector.make(emulated, backend=pufferlib.vector.Serial, num_envs=2)
    several.reset(seed=0)
    for _ in range(60):  # into the second episode
        seen, rewards, *_ = several.step(several.action_space.sample())
    several.close()
    print(f"vector of {seen.shape}, reward a step {rewards.mean():.2f}")
