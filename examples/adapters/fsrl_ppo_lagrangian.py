"""FSRL: PPO-Lagrangian of fast-safe-rl under a limit on traffic between sites.

    pip install torch==2.13.0
    pip install fast-safe-rl==0.1.0 'numpy==1.26.4' 'pandas<3' 'pyarrow<22' 'setuptools<81'
    python examples/adapters/fsrl_ppo_lagrangian.py

FSRL's agents act in a Box and read info["cost"]: `ScoreAction` takes a score for every site and
sends the job to the legal one of the highest.
"""

from __future__ import annotations

import gymnasium
from fsrl.agent import PPOLagAgent
from fsrl.utils import BaseLogger
from tianshou.env import DummyVectorEnv

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.placement.wrappers import ScoreAction
from panda_gym.offline import datasets

SMALL = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}


def make() -> gymnasium.Env:
    return ScoreAction(gymnasium.make("PandaGrid/Placement-v0", observation="flat", **SMALL))


if __name__ == "__main__":
    agent = PPOLagAgent(
        make(), BaseLogger(), cost_limit=0.5, hidden_sizes=(64, 64), device="cpu", seed=0
    )
    agent.learn(
        DummyVectorEnv([make] * 4),
        epoch=2,
        episode_per_collect=4,
        step_per_epoch=200,
        repeat_per_collect=2,
        testing_num=0,
        save_ckpt=False,
        verbose=False,
        show_progress=False,
    )
    reward, steps, cost = agent.evaluate(DummyVectorEnv([make] * 2), eval_episodes=2)
    print(f"return {reward:.1f}, cost {cost:.2f} TB in {steps:.0f} decisions")
