"""Rollout, update, record, checkpoint, over and over; knows the learner and its vector env."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback

from panda_gym.training.checkpoint import Checkpoint, read_learner, write_learner
from panda_gym.training.config import TrainConfig
from panda_gym.training.curve import CurvePoint
from panda_gym.training.randomness import read_generators, write_generators
from panda_gym.training.stopwatch import Stopwatch


class Loop:
    """The state of a run between two rollouts."""

    def __init__(self, model: MaskablePPO, env: Stopwatch, config: TrainConfig) -> None:
        self.model, self.env, self.config = model, env, config
        self.points: list[CurvePoint] = []
        self.choosing_s = self.learning_s = 0.0
        self.callback: BaseCallback | None = None

    @property
    def rollouts(self) -> int:
        """Rollouts done and learned from."""
        return len(self.points)

    @property
    def done(self) -> bool:
        """Whether all decisions have been learned from."""
        return bool(self.model.num_timesteps >= self.config.total_steps)

    def seconds(self) -> dict[str, float]:
        """CPU seconds so far by part."""
        return {
            "environment": self.env.seconds,
            "choosing": self.choosing_s,
            "learning": self.learning_s,
        }

    def advance(self) -> CurvePoint:
        """Do one rollout and learn from it."""
        if self.rollouts % self.config.renew_every == 0:
            self._stand(self.env.begin(self._world_seed()), np.ones(self.env.num_envs, dtype=bool))
        model, inside = self.model, self.env.seconds
        with self._timed("choosing_s"):
            model.collect_rollouts(
                model.env, self._started(), model.rollout_buffer, self.config.rollout_steps
            )
        self.choosing_s -= self.env.seconds - inside
        model._update_current_progress_remaining(model.num_timesteps, self.config.total_steps)
        with self._timed("learning_s"):
            model.train()
        self.points.append(self._point())
        model.logger.dump(step=model.num_timesteps)
        return self.points[-1]

    def checkpoint(self, settings: dict[str, Any]) -> Checkpoint:
        """Return everything that a later process needs to go on."""
        actions = np.array(self.env.actions, dtype=np.int16).reshape(-1, self.env.num_envs)
        tensors = {**read_learner(self.model.policy), **read_generators()}
        tensors["actions"] = torch.as_tensor(actions)
        state = {
            "settings": settings,
            "steps": self.model.num_timesteps,
            "updates": self.model._n_updates,
            "curve": [asdict(point) for point in self.points],
        }
        return Checkpoint(tensors, state)

    def restore(self, saved: Checkpoint) -> None:
        """Bring learner, counters, worlds and generators to where a checkpoint was written."""
        self.points = [CurvePoint(**point) for point in saved.state["curve"]]
        self.model.num_timesteps = saved.state["steps"]
        self.model._n_updates = saved.state["updates"]
        write_learner(self.model.policy, saved.tensors)
        if self.rollouts % self.config.renew_every:
            self._stand(*self.env.replay(self._world_seed(), saved.tensors["actions"].numpy()))
        if self.points:
            last = self.points[-1]
            self.choosing_s, self.learning_s = last.choosing_s, last.learning_s
            self.env.seconds = last.environment_s
        write_generators(saved.tensors)

    def _world_seed(self) -> int:
        """The seed of the present worlds: of the run's seed and of how often they began."""
        renewal = self.rollouts // self.config.renew_every
        sequence = np.random.SeedSequence([self.config.seed, renewal])
        return int(sequence.generate_state(1)[0] >> 1)

    def _stand(self, observation: Any, dones: np.ndarray) -> None:
        """Tell the learner where its worlds stand."""
        self.model._last_obs, self.model._last_episode_starts = observation, dones

    def _started(self) -> BaseCallback:
        """The empty callback that SB3 wants, made once, when the learner is ready."""
        if self.callback is None:
            _, self.callback = self.model._setup_learn(1, None, reset_num_timesteps=False)
        return self.callback

    @contextmanager
    def _timed(self, counter: str) -> Iterator[None]:
        began = time.process_time()
        yield
        setattr(self, counter, getattr(self, counter) + time.process_time() - began)

    def _point(self) -> CurvePoint:
        logged = self.model.logger.name_to_value
        reward = self.env.take_reward()
        self.model.logger.record("rollout/reward", reward)
        return CurvePoint(
            steps=int(self.model.num_timesteps),
            reward=reward,
            entropy=-float(logged["train/entropy_loss"]),
            value_loss=float(logged["train/value_loss"]),
            explained_variance=float(logged["train/explained_variance"]),
            kl=float(logged["train/approx_kl"]),
            environment_s=self.env.seconds,
            choosing_s=self.choosing_s,
            learning_s=self.learning_s,
        )
