"""Gymnasium's RecordVideo: films of episodes of every environment.

    pip install moviepy==2.2.1
    python examples/adapters/gymnasium_record_video.py

The environment is made with render_mode="rgb_array"; moviepy brings its own ffmpeg.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gymnasium
from gymnasium.wrappers import RecordVideo

import panda_gym

SHORT = {
    "PandaGrid/Placement-v0": {"jobs": 10, "scale": 0.1},
    "PandaGrid/DataPlacement-v0": {"jobs": 10, "scale": 0.1},
    "PandaGrid/Pipelines-v0": {"days": 1.0},
}
"""Settings whose episodes are short; Workflow's are."""

if __name__ == "__main__":
    for name in panda_gym.ENVIRONMENTS:
        with tempfile.TemporaryDirectory() as folder:
            env = gymnasium.make(name, render_mode="rgb_array", **SHORT.get(name, {}))
            env = RecordVideo(env, folder, episode_trigger=lambda episode: True)
            env.reset(seed=0)
            done = False
            while not done:
                _, _, terminated, truncated, _ = env.step(env.action_space.sample())
                done = terminated or truncated
            env.close()
            films = sorted(Path(folder).glob("*.mp4"))
            assert films
            print(f"{name}: a film of {films[0].stat().st_size / 1000:.0f} kB")
