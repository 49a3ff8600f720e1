"""Playing the episodes of a data set; knows batches and behaviours, never a file's columns.

Episodes are played side by side in shards, and each shard is written before the next begins. A
collection that was stopped goes on where it stood: the folder says which shards are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.batch import Batch
from panda_gym.benchmarking.contestants import PolicyLike
from panda_gym.benchmarking.episodes import legal
from panda_gym.datasets.behaviour import Behaviour, find_behaviours
from panda_gym.datasets.dataset import Manifest, OfflineDataset
from panda_gym.datasets.episode import Episode
from panda_gym.datasets.plan import Shard, shards
from panda_gym.datasets.shard import write_shard
from panda_gym.errors import SettingError, check_seed
from panda_gym.scenario import Scenario

Array = np.ndarray
Progress = Callable[[int, int, str], None]
CHOICES: Final = 1
"""Stream of the episode's seed that the behaviour's choices are drawn from."""


def collect(
    folder: str | Path,
    behaviours: Mapping[PolicyLike, float] | list[Behaviour] | list[PolicyLike],
    transitions: int = 100_000,
    *,
    seed: int = 1_000_000,
    epsilon: float = 0.0,
    side_by_side: int = 16,
    progress: Progress | None = None,
    **scenario: Any,
) -> OfflineDataset:
    """Log what behaviours do and return the data set; goes on where an earlier call stopped.

    Args:
        folder: where to write.
        behaviours: policies' names or agents' folders, with their weights if a mapping.
        transitions: decisions in all, rounded up to whole episodes.
        seed: episode i has seed `seed + i`; keep away from those of training and evaluation.
        epsilon: probability of any legal site instead of the policy's choice.
        side_by_side: episodes played at once; a matter of memory, never of the result.
        progress: called as progress(decisions done, in all, label).
        scenario: settings of the environment (`platform`, `scale`, `jobs`, `load`, ...).

    Raises:
        PolicyError: an unknown policy. SettingError: an unknown setting, a folder that holds
        another data set. StreamError, SurrogateError: jobs that cannot be had.
    """
    setting = _one_site_a_decision(Scenario.of(**scenario))
    found = find_behaviours(behaviours, epsilon, setting.scale)
    plan = shards(
        transitions, setting.jobs, [one.weight for one in found], check_seed(seed), side_by_side
    )
    batches = _Batches(setting)
    manifest = Manifest.begin(Path(folder), batches.of(1), found, plan, scenario)
    total = sum(len(shard.seeds) for shard in plan) * setting.jobs
    done = 0
    for shard in plan:
        if not manifest.has(shard.name):
            behaviour = found[shard.behaviour]
            episodes = _play(batches.of(len(shard.seeds)), behaviour, shard)
            write_shard(Path(folder) / shard.name, episodes)
            manifest.add(shard.name, episodes)
        done += len(shard.seeds) * setting.jobs
        if progress is not None:
            progress(done, total, found[shard.behaviour].label)
    manifest.finish()
    return OfflineDataset.open(folder)


def _one_site_a_decision(scenario: Scenario) -> Scenario:
    """The scenario, if an action is one site; SettingError if it is more."""
    if scenario.decisions > 1 or scenario.data_actions or scenario.defer:
        raise SettingError(
            "decisions that are one site each",
            "decisions > 1, data_actions or defer",
            "collect without these settings",
        )
    return scenario


class _Batches:
    """The batch of the size last asked for; all of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.batch = scenario, Batch(scenario, 1)

    def of(self, size: int) -> Batch:
        if len(self.batch) != size:
            self.batch = Batch(self.scenario, size)
        return self.batch


def _play(batch: Batch, behaviour: Behaviour, shard: Shard) -> list[Episode]:
    """Play one episode a seed and return them; the same episodes in any company."""
    seeds, jobs = shard.seeds, batch.scenario.jobs
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
