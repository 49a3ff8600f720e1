"""Discount by the time between decisions inside learners of stable-baselines3.

    env = sb3_vec_env(8, "PandaGrid/Pipelines-v0")
    model = MaskablePPO("MultiInputPolicy", env)
    model.learn(200_000, callback=TimeDiscountCallback(horizon_s=172_800.0))

The learner's own discount is not used: the advantages of every rollout are computed anew with the
discounts of a semi-Markov process (`panda_gym.environments.base.semi_markov`).
"""

from __future__ import annotations

import numpy as np
import torch
from stable_baselines3.common.buffers import DictRolloutBuffer, RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import obs_as_tensor

from panda_gym.environments.base.semi_markov import check_horizon, discount, mean_discount
from panda_gym.errors import PolicyError

Array = np.ndarray


class TimeDiscountCallback(BaseCallback):
    """Compute the advantages of every rollout with a discount of exp(-elapsed / horizon) a step.

    For PPO, A2C and MaskablePPO over any environment whose info has `elapsed_s`. An episode that
    was truncated is continued by the value of its last observation, discounted by time too.

    Args:
        horizon_s: time after which a reward is worth 1/e, s.
        accrues: whether rewards accrue evenly between decisions; if not, they are paid at them.

    Raises:
        SettingError: `horizon_s` is not above 0.
        PolicyError: a learner without a rollout buffer.
    """

    def __init__(self, horizon_s: float, accrues: bool = True, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.horizon_s, self.accrues = check_horizon(horizon_s), accrues
        self.rewards: Array = np.zeros((0, 0))
        """Rewards of the rollout as the environment paid them, float64[T, E]."""
        self.elapsed: Array = np.zeros((0, 0))
        """Time from each decision to the next one, float64[T, E], s."""
        self.step = 0

    def _init_callback(self) -> None:
        found = getattr(self.model, "rollout_buffer", None)
        if found is None:
            came = type(self.model).__name__
            do = "take PPO, A2C or MaskablePPO"
            raise PolicyError("a learner with a rollout buffer", came, do)
        self.buffer: RolloutBuffer | DictRolloutBuffer = found

    def _on_rollout_start(self) -> None:
        shape = self.buffer.buffer_size, self.buffer.n_envs
        self.rewards, self.elapsed, self.step = np.zeros(shape), np.zeros(shape), 0

    def _on_step(self) -> bool:
        # The learner adds the value of a truncated episode's last observation to this array.
        self.rewards[self.step] = self.locals["rewards"]
        self.elapsed[self.step] = [info["elapsed_s"] for info in self.locals["infos"]]
        self.step += 1
        return True

    def _on_rollout_end(self) -> None:
        buffer, model = self.buffer, self.model
        worth = discount(self.elapsed, self.horizon_s)
        share = mean_discount(self.elapsed, self.horizon_s) if self.accrues else 1.0
        continued = (buffer.rewards - self.rewards) / max(model.gamma, 1e-12)  # type: ignore[attr-defined]
        with torch.no_grad():
            last = obs_as_tensor(model._last_obs, model.device)  # type: ignore[arg-type]
            value = model.policy.predict_values(last).cpu().numpy().ravel()  # type: ignore[operator]
        begun = np.append(buffer.episode_starts, [model._last_episode_starts], axis=0)[1:]
        values = np.append(buffer.values, [value], axis=0)
        paid = self.rewards * share + worth * continued
        errors = paid + worth * (1.0 - begun) * values[1:] - values[:-1]
        decay = worth * (1.0 - begun) * buffer.gae_lambda
        buffer.advantages[:] = backward_sums(errors, decay)
        buffer.returns[:] = buffer.advantages + buffer.values
        buffer.rewards[:] = paid


def backward_sums(errors: Array, decay: Array) -> Array:
    """Return a[t] = errors[t] + decay[t] a[t + 1], float64[T, E]; a[T] is 0."""
    found, last = np.zeros_like(errors), np.zeros(errors.shape[1])
    for t in range(len(errors) - 1, -1, -1):
        last = errors[t] + decay[t] * last
        found[t] = last
    return found
