"""Play episodes of one behaviour side by side: log them whole, or only score them."""

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


def play(
    scenario: Scenario, behaviour: Behaviour, seeds: Sequence[int], objective: str | None = None
) -> list[Episode]:
    """Play one episode a seed and return them; the same episodes in any company.

    objective: of the difference rewards (`panda_gym.credit.OBJECTIVES`); None: they are nan.
    """
    batch = PlacementBatch(scenario, len(seeds), objective=objective)
    logger = _Logger(batch, behaviour, seeds)
    rollout([batch], [seeds], logger, label=behaviour.label, finish=False)
    return logger.episodes()


def score(
    scenario: Scenario, behaviour: Behaviour, seeds: Sequence[int], to_end: bool = True
) -> tuple[Array, Array]:
    """Play one episode a seed; return the sums of rewards and costs, float64[seeds] each.

    Sums are over the decisions about judged jobs. With `to_end` the behaviour decides until all
    judged jobs have ended (`Scenario.judged_to_end`), as in benchmarks.
    """
    batch = PlacementBatch(scenario.judged_to_end() if to_end else scenario, len(seeds))
    scorer = _Scorer(batch, behaviour, seeds)
    rollout([batch], [seeds], scorer, label=behaviour.label, finish=False)
    costs = np.sum(list(scorer.costs.values()), axis=0)
    returns = [rewards[at].sum() for rewards, at in zip(scorer.rewards, scorer.judged, strict=True)]
    total = [cost[at].sum() for cost, at in zip(costs, scorer.judged, strict=True)]
    return np.array(returns), np.array(total)


class _Scorer(Actor):
    """A behaviour that decides in E grids, and the rewards and costs of at most T decisions."""

    def __init__(self, batch: PlacementBatch, behaviour: Behaviour, seeds: Sequence[int]) -> None:
        self.batch, self.behaviour, self.seeds = batch, behaviour, seeds
        scenario = batch.scenario
        self.most = scenario.jobs if scenario.tail_jobs is None else batch.simulator.rows
        self.rng = np.random.default_rng([CHOICES, *seeds])
        self.uniforms = np.array(
            [np.random.default_rng([CHOICES, one]).random(self.most) for one in seeds]
        )
        shape = len(seeds), self.most
        self.judged = np.zeros(shape, dtype=bool)
        self.actions = np.zeros(shape, dtype=np.int32)
        self.rewards, self.probabilities = np.zeros(shape), np.zeros(shape)
        self.costs = {name: np.zeros(shape) for name in batch.costs}

    def begin(self) -> None:
        self.behaviour.policy.reset(len(self.seeds))

    def choose(self, step: int) -> list[Array]:
        observation: Any = self.batch.observe(copy=False)
        sites, probability = self.behaviour.act(observation, self.uniforms[:, step], self.rng)
        self.actions[:, step], self.probabilities[:, step] = sites, probability
        self.judged[:, step] = self.batch.simulator.judging
        return [sites]

    def record(self, k: int, step: int) -> None:
        outcome = self.batch.simulator.outcome
        self.rewards[:, step] = self.batch.rewards()
        for name, cost in self.batch.costs.items():
            self.costs[name][:, step] = cost(outcome)


class _Logger(_Scorer):
    """The same, and what was seen before each decision and after the last."""

    def __init__(self, batch: PlacementBatch, behaviour: Behaviour, seeds: Sequence[int]) -> None:
        super().__init__(batch, behaviour, seeds)
        envs, sites = batch.simulator.mask.shape
        width = batch.simulator.flat.shape[1]
        self.observations = np.empty((envs, self.most + 1, width), np.float32)
        self.masks = np.empty((envs, self.most + 1, sites), dtype=bool)

    def observe(self, k: int, step: int) -> None:
        self.observations[:, step] = self.batch.simulator.flat
        self.masks[:, step] = self.batch.simulator.mask

    def episodes(self) -> list[Episode]:
        decided = self.batch.simulator.decided.tolist()
        credit = self._difference_rewards(decided)
        return [self._episode(e, n, credit[e]) for e, n in enumerate(decided)]

    def _difference_rewards(self, decided: Sequence[int]) -> list[Array]:
        """Difference rewards of every grid's decisions, float64[T]."""
        if self.batch.recorder is None:
            return [np.full(n, np.nan) for n in decided]
        return np.split(self.batch.settled().reward, np.cumsum(decided)[:-1])

    def _episode(self, e: int, n: int, difference_rewards: Array) -> Episode:
        return Episode(
            seed=self.seeds[e],
            behaviour=self.behaviour.label,
            observations=self.observations[e, : n + 1],
            masks=self.masks[e, : n + 1],
            actions=self.actions[e, :n],
            rewards=self.rewards[e, :n],
            costs={name: cost[e, :n] for name, cost in self.costs.items()},
            probabilities=self.probabilities[e, :n],
            judged=self.judged[e, :n],
            difference_rewards=difference_rewards,
        )
