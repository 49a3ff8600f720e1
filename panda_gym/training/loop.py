"""The training loop of stable-baselines3 learners: rollout, update, evaluation, checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback

from panda_gym.training.checkpoint import Checkpoint, read_learner, write_learner
from panda_gym.training.config import FIRST_SEED, TrainConfig
from panda_gym.training.curve import CurvePoint
from panda_gym.training.difference_reward_callback import DifferenceRewardCallback
from panda_gym.training.evaluation import HeldOut
from panda_gym.training.learners import collect, learn, seen
from panda_gym.training.randomness import read_generators, write_generators
from panda_gym.training.stopwatch import Stopwatch


class Loop:
    """State of a run between two rollouts."""

    def __init__(
        self, model: Any, env: Stopwatch, config: TrainConfig, held_out: HeldOut | None = None
    ) -> None:
        self.model, self.env, self.config, self.held_out = model, env, config, held_out
        self.best: dict[str, torch.Tensor] = {}
        self.points: list[CurvePoint] = []
        self.choosing_s = self.learning_s = 0.0
        self.callback: BaseCallback | None = None

    @property
    def rollouts(self) -> int:
        """Rollouts done and learned from."""
        return len(self.points)

    @property
    def done(self) -> bool:
        """Whether the run has used all its decisions."""
        return bool(self.model.num_timesteps >= self.config.total_steps)

    def seconds(self) -> dict[str, float]:
        """CPU seconds so far by part."""
        return {
            "environment": self.env.seconds,
            "choosing": self.choosing_s,
            "learning": self.learning_s,
        }

    def advance(self) -> CurvePoint:
        """Collect one rollout and learn from it."""
        if self.config.begins(self.rollouts):
            self._set_load(self.rollouts)
            fresh = self.env.begin(self._episode_seed(self.rollouts))
            self._set_observation(fresh, np.ones(self.env.num_envs, dtype=bool))
        model, inside = self.model, self.env.seconds
        with self._timed("choosing_s"):
            collect(model, self.config, self._ready())
        self.choosing_s -= self.env.seconds - inside
        model._update_current_progress_remaining(model.num_timesteps, self.config.total_steps)
        with self._timed("learning_s"):
            learn(model, self.config)
        self.points.append(self._point())
        model.logger.dump(step=model.num_timesteps)
        return self.points[-1]

    def checkpoint(self, settings: dict[str, Any]) -> Checkpoint:
        """Return everything that a later process needs to resume the run."""
        actions = np.array(self.env.actions, dtype=np.int16).reshape(-1, self.env.num_envs)
        tensors = {**read_learner(self.model.policy), **read_generators()}
        tensors["actions"] = torch.as_tensor(actions)
        tensors |= {f"best/{name}": value for name, value in self.best.items()}
        state = {
            "settings": settings,
            "steps": self.model.num_timesteps,
            "updates": self.model._n_updates,
            "curve": [asdict(point) for point in self.points],
        }
        if hasattr(self.model, "multiplier"):
            state["multiplier"] = self.model.multiplier.state()
        return Checkpoint(tensors, state)

    def restore(self, saved: Checkpoint) -> None:
        """Set learner, counters, episodes and generators to the state of a checkpoint."""
        self.points = [CurvePoint(**point) for point in saved.state["curve"]]
        self.model.num_timesteps = saved.state["steps"]
        self.model._n_updates = saved.state["updates"]
        write_learner(self.model.policy, saved.tensors)
        self.best = {
            name.removeprefix("best/"): value
            for name, value in saved.tensors.items()
            if name.startswith("best/")
        }
        if hasattr(self.model, "multiplier"):
            self.model.multiplier.restore(saved.state["multiplier"])
        if not self.config.begins(self.rollouts):
            start = next(k for k in range(self.rollouts, -1, -1) if self.config.begins(k))
            self._set_load(start)
            taken = saved.tensors["actions"].numpy()
            self._set_observation(*self.env.replay(self._episode_seed(start), taken))
        if self.points:
            last = self.points[-1]
            self.choosing_s, self.learning_s = last.choosing_s, last.learning_s
            self.env.seconds = last.environment_s
        write_generators(saved.tensors)

    def scorer(self) -> Any:
        """Return the network of the best evaluation, or the current one if there was none."""
        if self.best:
            self.model.policy.scorer.load_state_dict(self.best)
        return self.model.policy.scorer

    def _set_load(self, rollouts: int) -> None:
        """Set the load of the curriculum's stage for episodes that start after so many rollouts."""
        if self.config.loads:
            self.env.venv.batch.offer(self.config.loads[self.config.stage(rollouts)])

    def _episode_seed(self, rollouts: int) -> int:
        """Return the seed of the episodes that start after so many rollouts."""
        sequence = np.random.SeedSequence([self.config.seed, rollouts])
        return FIRST_SEED + int(sequence.generate_state(1)[0] >> 1)

    def _set_observation(self, observation: Any, dones: np.ndarray) -> None:
        """Set the observation from which the learner collects next."""
        self.model._last_obs, self.model._last_episode_starts = observation, dones

    def _ready(self) -> BaseCallback:
        """Return the callback of a rollout, which relabels where an objective is given.

        The first call sets the learner up.
        """
        if self.callback is None:
            objective = self.config.objective
            relabel = DifferenceRewardCallback(objective) if objective else None
            _, self.callback = self.model._setup_learn(1, relabel, reset_num_timesteps=False)
        return self.callback

    @contextmanager
    def _timed(self, counter: str) -> Iterator[None]:
        began = time.process_time()
        yield
        setattr(self, counter, getattr(self, counter) + time.process_time() - began)

    def _evaluated(self) -> float | None:
        """Evaluate if it is due, and keep the best network; None where it is not due."""
        every, number = self.config.evaluate_every, self.rollouts + 1
        if self.held_out is None or (number % every and not self.done):
            return None
        scorer = self.model.policy.scorer
        found = self.held_out.evaluate(scorer)
        before = [p.evaluation for p in self.points if p.evaluation is not None]
        if found >= max(before, default=-np.inf):
            self.best = {k: v.detach().cpu().clone() for k, v in scorer.state_dict().items()}
        objective = self.config.objective or "ln_slowdown"
        self.model.logger.record(f"evaluation/minus_{objective}", found)
        return found

    def _point(self) -> CurvePoint:
        reward = self.env.take_reward()
        self.model.logger.record("rollout/reward", reward)
        return CurvePoint(
            steps=int(self.model.num_timesteps),
            reward=reward,
            environment_s=self.env.seconds,
            choosing_s=self.choosing_s,
            learning_s=self.learning_s,
            cost=self.env.take_cost(),
            evaluation=self._evaluated(),
            **seen(self.model),
        )
