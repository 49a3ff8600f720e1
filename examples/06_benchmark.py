"""Policies in paired worlds: the same jobs, noise and competing load for each."""

from __future__ import annotations

import panda_gym

table = panda_gym.benchmark(
    policies=["random", "least_loaded", "panda_production", "earliest_completion"],
    streams=["default"],
    seeds=range(3),
    jobs=200,
)
print(table.to_markdown())
