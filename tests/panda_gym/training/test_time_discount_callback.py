"""Advantages of a rollout are those of a semi-Markov process, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.utils import obs_as_tensor

from panda_gym import sb3_vec_env
from panda_gym.environments.base.semi_markov import discount, mean_discount
from panda_gym.errors import PolicyError, SettingError
from panda_gym.training import TimeDiscountCallback

DAY = 86_400.0
PIPELINES = "PandaGrid/Pipelines-v0"


class Kept(TimeDiscountCallback):
    """Keeps what the learner is given, and what it takes to know it otherwise."""

    def _on_rollout_start(self) -> None:
        super()._on_rollout_start()
        self.ends: dict[tuple[int, int], float] = {}

    def _on_step(self) -> bool:
        for e, info in enumerate(self.locals["infos"]):
            if "terminal_observation" in info:
                last = {k: v[None] for k, v in info["terminal_observation"].items()}
                with torch.no_grad():
                    value = self.model.policy.predict_values(obs_as_tensor(last, "cpu"))
                self.ends[self.step, e] = float(value)
        return super()._on_step()

    def _on_rollout_end(self) -> None:
        super()._on_rollout_end()
        self.given = self.buffer.advantages.copy(), self.buffer.values.copy()
        self.begun = self.buffer.episode_starts.copy()
        last = obs_as_tensor(self.model._last_obs, "cpu")
        with torch.no_grad():
            self.value = self.model.policy.predict_values(last).numpy().ravel()


@pytest.mark.parametrize(("learner", "accrues"), [(MaskablePPO, True), (PPO, False)])
def test_advantages_are_discounted_by_time(learner, accrues):
    env = sb3_vec_env(2, PIPELINES, seed=4, models=3, days=2.0)
    model = learner("MultiInputPolicy", env, n_steps=64, batch_size=64, n_epochs=1, seed=0)
    kept = Kept(DAY, accrues)
    model.learn(128, callback=kept)
    found, values = kept.given
    assert kept.ends
    for e in range(2):
        later = 0.0
        for t in range(63, -1, -1):
            worth = discount(kept.elapsed[t, e], DAY)
            share = mean_discount(kept.elapsed[t, e], DAY) if accrues else 1.0
            ended = (t, e) in kept.ends
            following = kept.value[e] if t == 63 else values[t + 1, e]
            after = kept.ends[t, e] if ended else following
            error = kept.rewards[t, e] * share + worth * after - values[t, e]
            later = error + (0.0 if ended else worth * 0.95 * later)
            assert found[t, e] == pytest.approx(later, abs=1e-4)
            assert ended == (t < 63 and kept.begun[t + 1, e] == 1.0) or t == 63


def test_other_learners_and_horizons_are_refused():
    env = sb3_vec_env(1, PIPELINES, models=3, days=2.0)
    with pytest.raises(PolicyError, match="rollout buffer"):
        DQN("MultiInputPolicy", env, buffer_size=10).learn(1, callback=TimeDiscountCallback(DAY))
    with pytest.raises(SettingError, match="horizon_s"):
        TimeDiscountCallback(np.inf)
