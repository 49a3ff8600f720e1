"""Write the picture of the README: one grid in the middle of an episode, from env.render().

python scripts/readme_picture.py docs/_static/grid.png
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import gymnasium as gym
import typer
from matplotlib.image import imsave

import panda_gym

JOBS, SEED = 600, 0


def main(out: Annotated[Path, typer.Argument(help="PNG file to write.")]) -> None:
    """Play two thirds of an episode with earliest completion and write the frame."""
    env = gym.make("PandaGrid/Placement-v0", scenario="atlas", jobs=JOBS, render_mode="rgb_array")
    policy = panda_gym.policies.create("earliest_completion")
    observation, _ = env.reset(seed=SEED)
    for _ in range(2 * JOBS // 3):
        action = policy.act(observation, env.unwrapped.np_random)
        observation, *_ = env.step(action)
    imsave(out, env.render())


if __name__ == "__main__":
    typer.run(main)
