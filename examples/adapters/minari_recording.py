"""Minari: record any environment with its collector, and read the episodes back.

    pip install 'panda-grid-gym[minari]'
    python examples/adapters/minari_recording.py

`panda-grid dataset --format minari` writes data sets of all policies without the collector.
"""

from __future__ import annotations

import os
import tempfile

import gymnasium
import minari
import numpy as np

import panda_gym

SHORT = {
    "PandaGrid/Placement-v0": {"jobs": 20, "scale": 0.1},
    "PandaGrid/DataPlacement-v0": {"jobs": 20, "scale": 0.1},
    "PandaGrid/Pipelines-v0": {"days": 2.0},
}
"""Settings whose episodes are short; Workflow's are."""


def record(name: str, episodes: int = 2) -> minari.MinariDataset:
    """Record episodes of legal random actions, infos with costs included."""
    env = minari.DataCollector(gymnasium.make(name, **SHORT.get(name, {})), record_infos=True)
    space = env.action_space
    space.seed(0)
    for episode in range(episodes):
        observation, _ = env.reset(seed=episode)
        done = False
        while not done:
            mask = observation["action_mask"]
            if isinstance(space, gymnasium.spaces.MultiDiscrete):
                mask = tuple(np.split(mask, np.cumsum(space.nvec)[:-1]))
            observation, _, terminated, truncated, _ = env.step(space.sample(mask))
            done = terminated or truncated
    dataset = env.create_dataset(
        f"recorded/{name.split('/')[1].lower()}",
        algorithm_name="random",
        author="A reader",
        author_email="reader@example.org",
        code_permalink="https://example.org",
    )
    env.close()
    return dataset


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MINARI_DATASETS_PATH"] = folder
        for name in panda_gym.ENVIRONMENTS:
            dataset = minari.load_dataset(record(name).id)
            for episode in dataset.iterate_episodes():
                assert len(episode.infos["cost"]) == len(episode) + 1
                assert np.isfinite(episode.rewards).all()
            env = dataset.recover_environment()
            assert env.action_space == dataset.action_space
            print(f"{name}: {dataset.total_episodes} episodes, {dataset.total_steps} steps")
