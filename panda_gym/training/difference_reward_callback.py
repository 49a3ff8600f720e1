"""Relabel what stable-baselines3 learners learn from with difference rewards.

    env = sb3_vec_env(num_envs=16, scenario="atlas", jobs=500)
    model = MaskablePPO("MultiInputPolicy", env, n_steps=500, gamma=0.0)
    model.learn(200_000, callback=DifferenceRewardCallback())

A difference reward contains all later consequences of its decision, so the discount is 0. The
reward of a decision is minus the sum of its own and its external cost, by an objective of
`panda_gym.credit.OBJECTIVES`.

PPO, A2C, MaskablePPO: episodes that end within a rollout are charged from their complete logs. An
episode that goes on is copied, and its placed jobs run to their end in the copy: own costs are then
those without further placements, and external costs leave out jobs that arrive after the rollout.
Rollouts of whole episodes (`n_steps` equal to `jobs`) have neither limit.

DQN: transitions are relabelled in the replay buffer when their episode ends, and are not sampled
before (`panda_gym.training.settled_replay`).

PPO-Lagrangian: difference rewards are penalised by the costs of the rollout's steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import obs_as_tensor
from stable_baselines3.common.vec_env import DummyVecEnv

from panda_gym.credit import Objective, difference_rewards, find_objective
from panda_gym.credit.difference_reward import check_one_site
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.sb3 import PlacementVecEnv
from panda_gym.errors import PolicyError
from panda_gym.training.settled_replay import SettledRows

Array = np.ndarray


class DifferenceRewardCallback(BaseCallback):
    """Replace rewards by difference rewards before the learner uses them.

    For PPO, A2C, MaskablePPO and DQN over `panda_gym.sb3_vec_env`, or over single environments in
    a DummyVecEnv, with one site a decision and queues first come, first served.

    Args:
        objective: what decisions are charged with: the name of a row of
            `panda_gym.credit.OBJECTIVES`, or an `Objective`.
        external_weight: factor on the objective's weight of the external cost; 0: own cost only.
        external_cost_max: the external cost of a decision is clipped here; None: where the
            objective says.
        price_wan_tb: price of a TB moved between sites, added to the objective's.
        price_wasted_core_h: price of a core hour held without finishing, added to the objective's.

    Raises:
        PolicyError: a learner without a rollout buffer or a `SettledReplayBuffer`, or an
            environment of another kind. SettingError: an unknown objective.
    """

    def __init__(
        self,
        objective: str | Objective = "ln_slowdown",
        *,
        external_weight: float = 1.0,
        external_cost_max: float | None = None,
        price_wan_tb: float = 0.0,
        price_wasted_core_h: float = 0.0,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        row = find_objective(objective)
        self.objective = replace(
            row,
            external=row.external * external_weight,
            external_max=row.external_max if external_cost_max is None else external_cost_max,
            wan_tb=row.wan_tb + price_wan_tb,
            wasted_core_h=row.wasted_core_h + price_wasted_core_h,
        )
        """The objective with weight and prices applied."""
        self.relabel: _Rollout | _Replay

    def _init_callback(self) -> None:
        grids = _Grids(self.training_env, self.objective)
        rollout, replay = (getattr(self.model, f"{kind}_buffer", None) for kind in KINDS)
        if rollout is None and not isinstance(replay, SettledRows):
            came = type(self.model).__name__ + ("" if replay is None else ", a plain replay buffer")
            do = "take PPO, A2C, MaskablePPO, or DQN with replay_buffer_class=SettledReplayBuffer"
            raise PolicyError("a rollout buffer or a SettledReplayBuffer", came, do)
        kind = _Replay if rollout is None else _Rollout
        self.relabel = kind(self.model, grids, self.objective)

    def _on_rollout_start(self) -> None:
        self.relabel.begin()

    def _on_step(self) -> bool:
        self.relabel.step()
        return True

    def _on_rollout_end(self) -> None:
        mean = self.relabel.finish()
        if mean is not None:
            self.logger.record("rollout/difference_reward", mean)

    def _on_training_end(self) -> None:
        self.relabel.grids.release()


KINDS = ("rollout", "replay")


class _Grids:
    """The grids behind a VecEnv, in the order of its environments."""

    def __init__(self, env: Any, objective: Objective) -> None:
        self.batches = _batches(env)
        for batch in self.batches:
            check_one_site(batch.simulator.settings, objective, PolicyError)
        self.where = [(batch, e) for batch in self.batches for e in range(len(batch))]

    def __len__(self) -> int:
        return len(self.where)

    def pending(self) -> Array:
        """Log row of the job at hand in every grid, int64[E]."""
        return np.concatenate([batch.simulator.pending[:, 0] for batch in self.batches])

    def on_end(self, call: Callable[[int], None]) -> None:
        """Have `call` called with a grid's number just before a new episode replaces its own."""
        first = 0
        for batch in self.batches:
            batch.on_end = lambda e, first=first: call(first + e)
            first += len(batch)

    def release(self) -> None:
        """Undo `on_end`."""
        for batch in self.batches:
            batch.on_end = None


class _Relabel:
    """Difference rewards of a learner's decisions."""

    def __init__(self, model: Any, grids: _Grids, objective: Objective) -> None:
        self.model, self.grids, self.objective = model, grids, objective
        grids.on_end(self.ended)

    def begin(self) -> None:
        """Prepare for a rollout."""

    def step(self) -> None:
        """Note the step just made."""

    def ended(self, g: int) -> None:
        """Charge the decisions of grid g's episode, which has ended with the step being made."""

    def finish(self) -> float | None:
        """End a rollout; return the mean of its difference rewards, None if there is none."""

    def charged(self, simulator: Any, e: int, rows: Array) -> Array:
        """Return the difference rewards of the attempts `rows` of grid e."""
        simulator.drain(e)
        return difference_rewards(simulator, e, simulator.log(e), self.objective)[rows]


class _Rollout(_Relabel):
    """Rewards of a rollout buffer: T steps of E grids."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.rows: Array = np.zeros((0, 0), np.int32)
        """Log row that each decision of the rollout placed, int32[T, E]."""
        self.rewards: Array = np.zeros((0, 0), np.float32)
        """Difference rewards of the rollout, float32[T, E]."""
        self.first: Array = np.zeros(0, np.int64)
        """Step of the rollout at which each grid's episode began, int64[E]."""
        self.at = 0
        """Steps of the rollout so far."""

    def begin(self) -> None:
        buffer = self.model.rollout_buffer
        shape = buffer.buffer_size, buffer.n_envs
        self.rows, self.rewards = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        self.first, self.at = np.zeros(buffer.n_envs, np.int64), 0
        self.rows[0] = self.grids.pending()

    def step(self) -> None:
        self.at += 1
        if self.at < len(self.rows):
            self.rows[self.at] = self.grids.pending()

    def ended(self, g: int) -> None:
        if self.at < len(self.rows):
            batch, e = self.grids.where[g]
            self._charge(batch.simulator, g, e, self.at + 1)
            self.first[g] = self.at + 1

    def finish(self) -> float:
        for batch in self.grids.batches:
            running = [g for g, (own, _) in enumerate(self.grids.where) if own is batch]
            running = [g for g in running if self.first[g] < self.at]
            aside = batch.simulator.copy() if running else batch.simulator
            for g in running:
                self._charge(aside, g, self.grids.where[g][1], self.at)
        penalised = getattr(self.model, "penalised", lambda rewards: rewards)
        self.model.rollout_buffer.rewards[:] = penalised(self.rewards)
        self._compute_advantages()
        return float(self.rewards.mean())

    def _charge(self, simulator: Any, g: int, e: int, until: int) -> None:
        """Write the rewards of grid g from its episode's beginning to step `until`."""
        steps = slice(int(self.first[g]), until)
        self.rewards[steps, g] = self.charged(simulator, e, self.rows[steps, g])

    def _compute_advantages(self) -> None:
        """Compute returns and advantages again, from the new rewards."""
        model = self.model
        with torch.no_grad():
            last = obs_as_tensor(model._last_obs, model.device)
            values = model.policy.predict_values(last)
        dones = np.asarray(model._last_episode_starts)
        model.rollout_buffer.compute_returns_and_advantage(last_values=values, dones=dones)


class _Replay(_Relabel):
    """Rewards of a replay buffer: written when their episode has ended."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        buffer = self.model.replay_buffer
        self.stamps = np.full(buffer.buffer_size, -1, np.int64)
        """Step that was stored at each position."""
        self.count, self.offset = 0, buffer.pos
        """Steps so far, and the position of the first."""
        self.now: Array | None = None
        """Log row of the decision at hand in every grid, int64[E]; None before the first step."""
        self.open: list[list[tuple[int, int]]] = [[] for _ in range(len(self.grids))]
        """Step and log row of the decisions of each grid's episode."""
        self.closed: list[tuple[int, Array, Array]] = []
        """Grid, steps and rewards of the episodes that are to be written."""
        self.recent: list[Array] = []
        """Rewards of the episodes that ended since the last rollout."""

    def begin(self) -> None:
        self.now = self.grids.pending()

    def step(self) -> None:
        """Note the decisions of the step just made, which is not stored yet."""
        self._write()
        rows = self.grids.pending() if self.now is None else self.now
        self.stamps[self.model.replay_buffer.pos] = self.count
        ended = {g for g, _, _ in self.closed}
        for g, row in enumerate(rows.tolist()):
            if g not in ended:
                self.open[g].append((self.count, row))
        self.count, self.now = self.count + 1, self.grids.pending()

    def ended(self, g: int) -> None:
        if self.now is None:
            return
        (batch, e), decisions = self.grids.where[g], self.open[g]
        if batch.done[e]:  # else it is reset in the middle, between two steps
            decisions = [*decisions, (self.count, int(self.now[g]))]
        if not decisions:
            return
        steps, rows = np.array(decisions).T
        rewards = self.charged(batch.simulator, e, rows)
        self.closed.append((g, steps, rewards))
        self.recent.append(rewards)
        self.open[g] = []

    def finish(self) -> float | None:
        self._write()
        rewards, self.recent = self.recent, []
        return float(np.concatenate(rewards).mean()) if rewards else None

    def _write(self) -> None:
        """Write the rewards of episodes whose last step is stored, where the buffer has them."""
        buffer, left = self.model.replay_buffer, []
        for g, steps, rewards in self.closed:
            if steps[-1] >= self.count:
                left.append((g, steps, rewards))
                continue
            at = (steps + self.offset) % buffer.buffer_size
            kept = self.stamps[at] == steps
            buffer.rewards[at[kept], g] = rewards[kept]
            buffer.settled[at[kept], g] = True
        self.closed = left


def _batches(env: Any) -> list[PlacementBatch]:
    """Return the batches under all wrappers; PolicyError for another environment."""
    inner = getattr(env, "unwrapped", env)
    if isinstance(inner, PlacementVecEnv):
        return [inner.batch]
    singles = [one.unwrapped for one in inner.envs] if isinstance(inner, DummyVecEnv) else [inner]
    found = [getattr(one, "batch", None) for one in singles]
    if not all(isinstance(batch, PlacementBatch) for batch in found):
        came = ", ".join(sorted({type(one).__name__ for one in singles}))
        raise PolicyError("placement environments", came, "make them with panda_gym.sb3_vec_env")
    return [batch for batch in found if isinstance(batch, PlacementBatch)]
