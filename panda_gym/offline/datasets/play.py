"""Play episodes of one behaviour side by side and return what was logged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from panda_gym.benchmarking.rollout import Actor, rollout
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.offline.datasets.behaviour import Behaviour
from panda_gym.offline.datasets.episode import Episode

Array = np.ndarray
CHOICES: Final = 1
"""Second number of the seed that an episode's choices are drawn from."""


def play(scenario: Scenario, behaviour: Behaviour, seeds: Sequence[int]) -> list[Episode]:
    """Play one episode a seed and return them; the same episodes in any company."""
    batch = PlacementBatch(scenario, len(seeds))
    logger = _Logger(batch, behaviour, seeds)
    rollout([batch], [seeds], logger, label=behaviour.label, finish=False)
    return logger.episodes()


class _Logger(Actor):
    """A behaviour that decides, and all that E episodes of T decisions looked like."""

    def __init__(self, batch: PlacementBatch, behaviour: Behaviour, seeds: Sequence[int]) -> None:
        jobs = batch.scenario.jobs
        envs, sites = batch.simulator.mask.shape
        self.batch, self.behaviour, self.seeds = batch, behaviour, seeds
        self.rng = np.random.default_rng([CHOICES, *seeds])
        self.uniforms = np.array(
            [np.random.default_rng([CHOICES, one]).random(jobs) for one in seeds]
        )
        self.observations = np.empty((envs, jobs + 1, batch.simulator.flat.shape[1]), np.float32)
        self.masks = np.empty((envs, jobs + 1, sites), dtype=bool)
        self.actions = np.empty((envs, jobs), dtype=np.int32)
        self.rewards, self.probabilities = np.empty((envs, jobs)), np.empty((envs, jobs))
        self.costs = {name: np.empty((envs, jobs)) for name in batch.costs}

    def begin(self) -> None:
        self.behaviour.policy.reset(len(self.seeds))

    def choose(self, step: int) -> list[Array]:
        observation: Any = self.batch.observe(copy=False)
        sites, probability = self.behaviour.act(observation, self.uniforms[:, step], self.rng)
        self.actions[:, step], self.probabilities[:, step] = sites, probability
        return [sites]

    def observe(self, k: int, step: int) -> None:
        self.observations[:, step] = self.batch.simulator.flat
        self.masks[:, step] = self.batch.simulator.mask

    def record(self, k: int, step: int) -> None:
        outcome = self.batch.simulator.outcome
        self.rewards[:, step] = self.batch.rewards()
        for name, cost in self.batch.costs.items():
            self.costs[name][:, step] = cost(outcome)

    def episodes(self) -> list[Episode]:
        return [self._episode(e, seed) for e, seed in enumerate(self.seeds)]

    def _episode(self, e: int, seed: int) -> Episode:
        return Episode(
            seed=seed,
            behaviour=self.behaviour.label,
            observations=self.observations[e],
            masks=self.masks[e],
            actions=self.actions[e],
            rewards=self.rewards[e],
            costs={name: cost[e] for name, cost in self.costs.items()},
            probabilities=self.probabilities[e],
        )
