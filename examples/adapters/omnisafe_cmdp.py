"""OmniSafe: the placement environment as its CMDP class, and PPO-Lagrangian on it.

    pip install torch==2.13.0
    pip install --no-deps omnisafe==0.5.0 numpy==1.26.4 'pandas<3' 'pyarrow<22'
    pip install 'moviepy<2' seaborn gdown wandb jax-jumpy
    python examples/adapters/omnisafe_cmdp.py

OmniSafe 0.5.0 knows Box observations and Box actions of one axis; `ScoreAction` makes the latter.
It imports safety_gymnasium for environments of its own, which does not install on Python 3.11; an
empty module of that name stands in for it here, for none of those environments is used.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import torch

if "safety_gymnasium" not in sys.modules:
    sys.modules["safety_gymnasium"] = ModuleType("safety_gymnasium")

import gymnasium
import omnisafe
from omnisafe.envs.core import CMDP, env_register

import panda_gym  # noqa: F401  (registers the environments)
from panda_gym.environments.placement.wrappers import ScoreAction
from panda_gym.offline import datasets

SMALL = {**datasets.SMALL, "jobs": 50, "stream_jobs": 2_000}


@env_register
class PlacementCMDP(CMDP):
    """One grid with scores as actions. Keywords are the environment's settings."""

    _support_envs: ClassVar[list[str]] = ["PandaGrid/Placement-v0"]
    need_auto_reset_wrapper = True
    need_time_limit_wrapper = False

    def __init__(
        self, env_id: str, num_envs: int = 1, device: Any = "cpu", **settings: Any
    ) -> None:
        super().__init__(env_id)
        settings = settings or SMALL
        self._env = ScoreAction(gymnasium.make(env_id, observation="flat", **settings))
        self._num_envs, self._device = num_envs, torch.device(device)
        self._observation_space = self._env.observation_space
        self._action_space = self._env.action_space

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        observation, info = self._env.reset(seed=seed, options=options)
        return self._tensor(observation), info

    def step(self, action: torch.Tensor) -> tuple[Any, ...]:
        scores = action.detach().cpu().numpy()
        observation, reward, terminated, truncated, info = self._env.step(scores)
        seen = self._tensor(observation)
        if terminated or truncated:
            info["final_observation"] = seen
        flags = (self._tensor(value) for value in (reward, info["cost"], terminated, truncated))
        return seen, *flags, info

    def set_seed(self, seed: int) -> None:
        self.reset(seed=seed)

    def render(self) -> Any:
        return self._env.render()

    def close(self) -> None:
        self._env.close()

    @property
    def max_episode_steps(self) -> int:
        return int(self._env.unwrapped.batch.scenario.jobs)

    def _tensor(self, value: Any) -> torch.Tensor:
        return torch.as_tensor(np.asarray(value), dtype=torch.float32, device=self._device)


if __name__ == "__main__":
    agent = omnisafe.Agent(
        "PPOLag",
        "PandaGrid/Placement-v0",
        custom_cfgs={
            "train_cfgs": {"total_steps": 400, "vector_env_nums": 1, "torch_threads": 1},
            "algo_cfgs": {"steps_per_epoch": 200, "update_iters": 2},
            "logger_cfgs": {"use_wandb": False, "use_tensorboard": False, "save_model_freq": 2},
            "lagrange_cfgs": {"cost_limit": 0.5},
        },
    )
    agent.learn()
    print("PPOLag of OmniSafe ran 400 decisions")
