"""Relabel the rollouts of stable-baselines3 learners with difference rewards.

    env = sb3_vec_env(num_envs=16, scenario="atlas", jobs=500)
    model = MaskablePPO("MultiInputPolicy", env, n_steps=500, gamma=0.0)
    model.learn(200_000, callback=DifferenceRewardCallback())

A difference reward contains all later consequences of its decision, so the discount is 0. The
reward of a decision is minus the sum of ln(bounded slowdown) of its own job at its end and the
external cost (`panda_gym.training.external_cost`), optionally with prices of traffic and waste.

Episodes that end within a rollout are charged from their complete logs. An episode that goes on
is copied, and its placed jobs run to their end in the copy: own costs are then those without
further placements, and external costs leave out jobs that arrive after the rollout. Rollouts of
whole episodes (`n_steps` equal to `jobs`) have neither limit.
"""

from __future__ import annotations

import numpy as np
import torch
from stable_baselines3.common.buffers import DictRolloutBuffer, RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import obs_as_tensor

from panda_gym.environments.placement.sb3 import PlacementVecEnv
from panda_gym.errors import PolicyError
from panda_gym.simulator import Simulator
from panda_gym.training.external_cost import external_costs, own_costs
from panda_gym.units import BYTES_PER_TB, SECONDS_PER_HOUR

Array = np.ndarray


class DifferenceRewardCallback(BaseCallback):
    """Replace the rewards of every rollout by difference rewards, before the learner uses them.

    For PPO, A2C and MaskablePPO over `panda_gym.sb3_vec_env` with one site a decision and queues
    first come, first served.

    Args:
        external_weight: weight of the external cost beside the own cost; 0: own cost only.
        external_cost_max: the external cost of a decision is clipped here.
        price_wan_tb: price of a TB moved between sites, in units of ln(bounded slowdown).
        price_wasted_core_h: price of a core hour held without finishing, in the same units.

    Raises:
        PolicyError: a learner without a rollout buffer, or an environment of another kind.
    """

    def __init__(
        self,
        *,
        external_weight: float = 1.0,
        external_cost_max: float = 10.0,
        price_wan_tb: float = 0.0,
        price_wasted_core_h: float = 0.0,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        self.external_weight, self.external_cost_max = external_weight, external_cost_max
        self.price_wan_tb, self.price_wasted_core_h = price_wan_tb, price_wasted_core_h
        self.rows: Array = np.zeros((0, 0), np.int32)
        """Log row that each decision of the rollout placed, int32[T, E]."""
        self.rewards: Array = np.zeros((0, 0), np.float32)
        """Difference rewards of the rollout, float32[T, E]."""
        self.first: Array = np.zeros(0, np.int64)
        """Step of the rollout at which each grid's episode began, int64[E]."""
        self.step = 0

    def _init_callback(self) -> None:
        self.env = _environment(self.training_env)
        self.buffer = _buffer(self.model)
        self.env.batch.on_end = self._episode_ended

    def _on_rollout_start(self) -> None:
        shape = self.buffer.buffer_size, self.buffer.n_envs
        self.rows, self.rewards = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        self.first, self.step = np.zeros(self.buffer.n_envs, np.int64), 0
        self.rows[0] = self.env.batch.simulator.pending[:, 0]

    def _on_step(self) -> bool:
        self.step += 1
        if self.step < len(self.rows):
            self.rows[self.step] = self.env.batch.simulator.pending[:, 0]
        return True

    def _on_rollout_end(self) -> None:
        running = np.flatnonzero(self.first < self.step)
        if len(running):
            aside = self.env.batch.simulator.copy()
            for e in running:
                self._charge(aside, int(e), self.step)
        self.buffer.rewards[:] = self.rewards
        self.logger.record("rollout/difference_reward", float(self.rewards.mean()))
        self._compute_advantages()

    def _on_training_end(self) -> None:
        self.env.batch.on_end = None

    def _episode_ended(self, e: int) -> None:
        """Charge the decisions of grid e's episode, which has ended with the step being made."""
        if self.step < len(self.rows):
            self._charge(self.env.batch.simulator, e, self.step + 1)
            self.first[e] = self.step + 1

    def _charge(self, simulator: Simulator, e: int, until: int) -> None:
        """Write the rewards of grid e from its episode's beginning to step `until`."""
        simulator.drain(e)
        log = simulator.log(e)
        external = np.minimum(external_costs(simulator, e, log), self.external_cost_max)
        cost = own_costs(log) + self.external_weight * external
        cost = cost + self.price_wan_tb * log.moved_bytes / BYTES_PER_TB
        cost = cost + self.price_wasted_core_h * log.wasted_s / SECONDS_PER_HOUR
        steps = slice(int(self.first[e]), until)
        self.rewards[steps, e] = -cost[self.rows[steps, e]]

    def _compute_advantages(self) -> None:
        """Compute returns and advantages again, from the new rewards."""
        model = self.model
        with torch.no_grad():
            last = obs_as_tensor(model._last_obs, model.device)  # type: ignore[arg-type]
            values = model.policy.predict_values(last)  # type: ignore[operator]
        dones = np.asarray(model._last_episode_starts)
        self.buffer.compute_returns_and_advantage(last_values=values, dones=dones)


def _environment(env: object) -> PlacementVecEnv:
    """Return the placement environment under all wrappers; PolicyError if it is another one."""
    inner = getattr(env, "unwrapped", env)
    if not isinstance(inner, PlacementVecEnv):
        came = type(inner).__name__
        raise PolicyError("panda_gym.sb3_vec_env", came, "make the environment with it")
    scenario = inner.batch.scenario
    if scenario.decisions > 1 or scenario.data_actions or scenario.defer:
        raise PolicyError("one site a decision", "other actions", "drop decisions=, defer=")
    if scenario.discipline != "fifo":
        came = f"discipline={scenario.discipline!r}"
        raise PolicyError("queues first come, first served", came, "drop discipline=")
    return inner


def _buffer(model: object) -> RolloutBuffer | DictRolloutBuffer:
    """Return the rollout buffer of a learner; PolicyError if it has none."""
    found = getattr(model, "rollout_buffer", None)
    if found is None:
        came = type(model).__name__
        raise PolicyError("a learner with a rollout buffer", came, "take PPO, A2C or MaskablePPO")
    return found
