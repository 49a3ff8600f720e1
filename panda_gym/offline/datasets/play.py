"""Episodes of one behaviour, side by side; knows batches and behaviours, never a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from panda_gym.benchmarking.episodes import legal
from panda_gym.environments.placement.batch import Batch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.offline.datasets.behaviour import Behaviour
from panda_gym.offline.datasets.episode import Episode

Array = np.ndarray
CHOICES: Final = 1
"""Stream of the episode's seed that the behaviour's choices are drawn from."""


def play(scenario: Scenario, behaviour: Behaviour, seeds: Sequence[int]) -> list[Episode]:
    """Play one episode a seed and return them; the same episodes in any company."""
    batch, jobs = Batch(scenario, len(seeds)), scenario.jobs
    batch.begin((e, np.random.default_rng(one)) for e, one in enumerate(seeds))
    behaviour.policy.reset(len(seeds))
    rng = np.random.default_rng([CHOICES, *seeds])
    uniforms = np.array([np.random.default_rng([CHOICES, one]).random(jobs) for one in seeds])
    log = _Log(batch, jobs)
    for step in range(jobs):
        observation: Any = batch.observe(copy=False)
        log.see(step)
        sites, probability = behaviour.act(observation, uniforms[:, step], rng)
        batch.step(legal(sites, observation["action_mask"], behaviour.label))
        log.reap(step, sites, probability)
    log.see(jobs)
    return [log.episode(e, one, behaviour.label) for e, one in enumerate(seeds)]


class _Log:
    """What E episodes of T decisions looked like, row by row."""

    def __init__(self, batch: Batch, jobs: int) -> None:
        envs, sites = batch.simulator.mask.shape
        self.batch = batch
        self.observations = np.empty((envs, jobs + 1, batch.simulator.flat.shape[1]), np.float32)
        self.masks = np.empty((envs, jobs + 1, sites), dtype=bool)
        self.actions = np.empty((envs, jobs), dtype=np.int32)
        self.rewards, self.probabilities = np.empty((envs, jobs)), np.empty((envs, jobs))
        self.costs = {name: np.empty((envs, jobs)) for name in batch.costs}

    def see(self, step: int) -> None:
        self.observations[:, step] = self.batch.simulator.flat
        self.masks[:, step] = self.batch.simulator.mask

    def reap(self, step: int, sites: Array, probability: Array) -> None:
        outcome = self.batch.simulator.outcome
        self.actions[:, step], self.probabilities[:, step] = sites, probability
        self.rewards[:, step] = self.batch.rewards()
        for name, cost in self.batch.costs.items():
            self.costs[name][:, step] = cost(outcome)

    def episode(self, e: int, seed: int, label: str) -> Episode:
        return Episode(
            seed=seed,
            behaviour=label,
            observations=self.observations[e],
            masks=self.masks[e],
            actions=self.actions[e],
            rewards=self.rewards[e],
            costs={name: cost[e] for name, cost in self.costs.items()},
            probabilities=self.probabilities[e],
        )
