"""Record a vector environment's CPU time, rewards, costs and actions.

Seed and actions since the episodes started restore a deterministic environment to its state.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper


class Stopwatch(VecEnvWrapper):
    """Wrapper that counts CPU seconds, rewards and costs, and stores actions."""

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv)
        self.seconds = 0.0
        """CPU seconds spent in the environment."""
        self.rewards: list[np.ndarray] = []
        """Rewards since `take_reward`, float32[E] each."""
        self.costs: list[float] = []
        """Mean cost of each step since `take_cost`; empty where infos have none."""
        self.actions: list[np.ndarray] = []
        """Actions since the episodes started, int16[E] each."""

    def begin(self, seed: int) -> Any:
        """Restart all episodes from `seed`; return the first observation."""
        self.actions.clear()
        self.venv.seed(seed)
        return self.reset()

    def replay(self, seed: int, actions: np.ndarray) -> tuple[Any, np.ndarray]:
        """Restart from `seed`, repeat actions int[T, E]; return the last observation and dones."""
        observation, dones = self.begin(seed), np.ones(self.num_envs, dtype=bool)
        for taken in actions:
            observation, _, dones, _ = self.step(taken.astype(np.int64))
        self.rewards.clear()
        self.costs.clear()
        return observation, dones

    def take_reward(self) -> float:
        """Return the mean reward since the last call."""
        mean = float(np.mean(self.rewards)) if self.rewards else float("nan")
        self.rewards.clear()
        return mean

    def take_cost(self) -> float | None:
        """Return the mean cost per step since the last call; None where infos have none."""
        mean = float(np.mean(self.costs)) if self.costs else None
        self.costs.clear()
        return mean

    def reset(self) -> Any:
        """Reset the environment and count the time."""
        began = time.process_time()
        observation = self.venv.reset()
        self.seconds += time.process_time() - began
        return observation

    def step_async(self, actions: np.ndarray) -> None:
        """Store the actions and pass them on."""
        self.actions.append(np.asarray(actions, dtype=np.int16))
        self.venv.step_async(actions)

    def step_wait(self) -> Any:
        """Step the environment; count time, rewards and costs."""
        began = time.process_time()
        observation, rewards, dones, infos = self.venv.step_wait()
        self.seconds += time.process_time() - began
        self.rewards.append(np.array(rewards))
        if "cost" in infos[0]:
            self.costs.append(sum(info["cost"] for info in infos) / len(infos))
        return observation, rewards, dones, infos

    def env_method(self, name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Call a method of the environment and count the time."""
        began = time.process_time()
        answer: Sequence[Any] = self.venv.env_method(name, *args, indices=indices, **kwargs)
        self.seconds += time.process_time() - began
        return list(answer)
