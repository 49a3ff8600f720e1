"""Offline: what known policies did, scores on one scale, and what another policy would earn."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.placement import policies
from panda_gym.offline import datasets, off_policy

ENVIRONMENT = {"platform": "tiny4", "scale": 1.0, "jobs": 10, "stream_jobs": 2_000}
GAMMA, HORIZON, EPSILON = 0.8, 3, 0.4

data = datasets.collect(
    "runs/offline_example/random", ["random"], 6_000, side_by_side=200, **ENVIRONMENT
)
print(len(data), "transitions; limits on an episode's cost:", np.round(data.cost_limits, 4))
found = datasets.trial(data, policies.create("data_locality"))
reward, cost = found.normalized(data, data.cost_limits[1])
print(f"data locality: normalised reward {reward:.2f}, normalised cost {cost:.2f}")

told = off_policy.evaluate(
    data, "earliest_completion", gamma=GAMMA, horizon=HORIZON, epsilon=EPSILON, repeats=200
)
print(f"{told.effective_episodes:.0f} of {len(data.returns)} episodes speak of earliest completion")
for name, one in told.estimates.items():
    print(f"{name:<24} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]")

true = datasets.collect(
    "runs/offline_example/true",
    ["earliest_completion"],
    6_000,
    seed=5_000_000,
    epsilon=EPSILON,
    side_by_side=200,
    **ENVIRONMENT,
)
discount = GAMMA ** np.arange(HORIZON)
rolled = [float(one.rewards[:HORIZON] @ discount) for one in true.episodes()]
print(
    f"{'its own rollouts':<24} {np.mean(rolled):.3f} +- {np.std(rolled) / len(rolled) ** 0.5:.3f}"
)
