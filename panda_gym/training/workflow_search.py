"""Fit the sites of workflows on training seeds by CMA-ES.

    policy = fit_workflow_sites(
        {"workflow": "random:layered", "platform": "small15", "plan": "heft"}
    )

With `plan=` the policy is a learned correction of that static schedule.
All candidates of a generation play the same graphs, and each generation has new ones. CMA-ES is
Hansen's (arXiv:1604.00772), as `panda-grid tune` has it for placement; the result is the mean of
the last distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from panda_gym.environments.workflow.batch import WorkflowBatch
from panda_gym.environments.workflow.policies.fitted import PLAN_TERMS, TERMS, FittedSites
from panda_gym.environments.workflow.scenario import WorkflowScenario
from panda_gym.errors import SettingError, check_seed
from panda_gym.workflows.random_graphs import random_workflow

Array = np.ndarray

TRAINING_SEEDS: Final = 1_000_000
"""Fitting uses seeds from here on."""
SEEDS_A_SEARCH: Final = 10_000
SPREAD: Final = 0.8
"""First standard deviation of a weight."""
PLAN_START: Final[Mapping[str, float]] = {"planned": 3.0, "onward": 4.0}
"""First mean of the weights of a plan; all others begin at 0, the earliest finish."""


def fit_workflow_sites(
    settings: Mapping[str, Any],
    *,
    seed: int = 0,
    generations: int = 48,
    population: int = 20,
    episodes: int = 40,
) -> FittedSites:
    """Return the policy whose mean ln makespan over t_seq is least, by CMA-ES.

    Args:
        settings: keywords of `PandaGrid/Workflow-v0` on a platform of several sites.
        seed: seed of the search; it chooses the training graphs too.
        generations: generations of the search.
        population: candidates of a generation.
        episodes: graphs that each candidate plays in a generation.

    Raises:
        SettingError: a platform of one site, where nothing is to be chosen.
    """
    from cmaes import CMA

    scenario = WorkflowScenario.of(**settings)
    sites = WorkflowBatch(scenario, 1).view.pairs.shape[3]
    if sites < 2:
        raise SettingError("a platform of several sites", "one site", "change platform=")
    plan = [PLAN_START.get(name, 0.0) for name in PLAN_TERMS] if scenario.plan else []
    search = CMA(
        np.array([0.0] * (len(TERMS) + sites) + plan),
        SPREAD,
        population_size=population,
        seed=1 + check_seed(seed),
    )
    for generation in range(generations):
        first = TRAINING_SEEDS + SEEDS_A_SEARCH * seed + generation * episodes
        batch = WorkflowBatch(_library(scenario, first, episodes), population * episodes)
        asked = np.array([search.ask() for _ in range(population)])
        losses = _losses(batch, asked, first)
        search.tell(list(zip(asked, losses.tolist(), strict=True)))
    return FittedSites(search.mean)


def _library(scenario: WorkflowScenario, first: int, episodes: int) -> WorkflowScenario:
    """Return the scenario with graphs that all candidates share, drawn from seed `first` on."""
    shape = scenario.fresh_shape
    if shape is None:
        return scenario
    return replace(scenario, workflow=[random_workflow(shape, first + i) for i in range(episodes)])


def _losses(batch: WorkflowBatch, asked: Array, first: int) -> Array:
    """Return the mean ln makespan of every candidate on the graphs from seed `first` on."""
    episodes = len(batch) // len(asked)
    policy, rng = FittedSites(np.repeat(asked, episodes, axis=0)), np.random.default_rng(0)
    batch.begin((e, np.random.default_rng(first + e % episodes)) for e in range(len(batch)))
    while not batch.done.all():
        batch.step(policy(batch.parts, rng), ~batch.done)
    report = batch.report()
    ratios = np.log(report["clock_s"] / report["t_seq_s"])
    losses: Array = ratios.reshape(len(asked), episodes).mean(axis=1)
    return losses
