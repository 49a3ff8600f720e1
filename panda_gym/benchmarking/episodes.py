"""Play one policy on one stream, all seeds side by side, and measure the episodes.

Every seed is an environment of its own, seeded as `reset(seed=...)` would, so all policies meet
the same jobs, the same run noise and the same competing load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from panda_gym.benchmarking.job_classes import measured_by_class
from panda_gym.benchmarking.measures import Outcomes, measure
from panda_gym.benchmarking.rollout import Actor, rollout
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.policies import Policy
from panda_gym.episode_log import LoggedEpisode
from panda_gym.errors import StreamError
from panda_gym.oracles import Oracle
from panda_gym.simulator import EpisodeLog

CLASSES: Final = 4
"""Classes of jobs by true workload, between which fairness is measured."""

STEPS: Final = ("reward_pred", "reward_true", "cost")
"""What is recorded of every decision, see `PlacementBatch.paid`."""
CHUNK: Final = 256
"""Decisions whose rewards and costs are computed together, which costs little per decision."""


def play(
    batch: PlacementBatch,
    policy: Policy | Oracle,
    seeds: Sequence[int],
    *,
    label: str = "policy",
    tick: Callable[[int], None] | None = None,
) -> list[dict[str, float]]:
    """Return the measures of one episode a seed, played until its judged jobs have ended.

    batch: E = len(seeds) grids. tick: called with the number of decisions just
    made in each, up to the scenario's jobs.
    PolicyError if the policy answers with anything but legal sites.
    """
    actor = PolicyActor(batch, policy, seeds, tick)
    try:
        rollout([batch], [seeds], actor, label=label)
    finally:
        if isinstance(policy, Policy):
            policy.close()
    steps, total_cores = actor.steps(), float(batch.platform.cores.sum())
    own = (policy.figures() if isinstance(policy, Policy) else ()) or [{}] * len(seeds)
    return [
        {**_measured(outcomes(batch.log(e, drain=False), steps[e], total_cores)), **own[e]}
        for e in range(len(seeds))
    ]


class PolicyActor(Actor):
    """A policy that decides from observations, or an oracle that decides from the grids."""

    def __init__(
        self,
        batch: PlacementBatch,
        policy: Policy | Oracle,
        seeds: Sequence[int],
        tick: Callable[[int], None] | None = None,
    ) -> None:
        self.batch, self.policy, self.tick = batch, policy, tick
        self.judging = np.ones(len(batch), dtype=bool)
        self.rng = np.random.default_rng([0, *seeds])
        first = batch.simulator.outcome
        self.outcomes = np.empty((CHUNK, *first.shape), first.dtype)
        self.judged = np.empty((CHUNK, len(batch)), dtype=bool)
        self.kept = 0
        self.series: dict[str, list[np.ndarray]] = {name: [] for name in STEPS}

    def begin(self) -> None:
        """Reset the policy, or show the oracle the new episodes."""
        if isinstance(self.policy, Oracle):
            self.policy.reset(self.batch)
        else:
            self.policy.reset(len(self.batch))
            self.policy.attach(self.batch)

    def choose(self, step: int) -> list[np.ndarray]:
        """Return the sites that the policy names."""
        self.judging = self.batch.simulator.judging
        if isinstance(self.policy, Oracle):
            return [self.policy.choose(self.batch)]
        observation: Any = self.batch.observe(copy=False)
        return [self.policy(observation, self.rng)]

    def record(self, k: int, step: int) -> None:
        """Keep the decision's outcome, which `steps` turns into rewards and costs."""
        self.outcomes[self.kept] = self.batch.simulator.outcome
        self.judged[self.kept] = self.judging
        self.kept += 1
        if self.kept == CHUNK:
            self._settle()
        scenario = self.batch.scenario
        left = scenario.jobs - step * scenario.decisions
        if self.tick is not None and left > 0:
            self.tick(min(left, scenario.decisions))

    def _settle(self) -> None:
        """Turn the outcomes that were kept into rewards and costs, nan of jobs not judged."""
        judged, outcomes = self.judged[: self.kept], self.outcomes[: self.kept]
        paid = self.batch.paid(outcomes.reshape(-1, *outcomes.shape[2:]))
        for name, series in self.series.items():
            series.append(np.where(judged, paid[name].reshape(judged.shape), np.nan))
        self.kept = 0

    def steps(self) -> list[dict[str, np.ndarray]]:
        """Rewards and costs of the decisions about judged jobs, by name, grid by grid."""
        self._settle()
        found = {name: np.concatenate(series).T for name, series in self.series.items()}
        return [
            {name: rows[e][~np.isnan(rows[e])] for name, rows in found.items()}
            for e in range(len(self.batch))
        ]


def measures_of(episode: LoggedEpisode) -> dict[str, float]:
    """Return the measures of a logged episode, as `play` gave them when it ran.

    StreamError if its log does not say what the steps paid.
    """
    if episode.steps is None:
        raise StreamError("a log with what the steps paid", "one without", "write it with log=")
    decided = (episode.steps.count > 0) & episode.log.judged[episode.log.origin]
    steps = {name: getattr(episode.steps, name)[decided] for name in STEPS}
    return _measured(outcomes(episode.log, steps, float(episode.site_cores.sum())))


def _measured(run: Outcomes) -> dict[str, float]:
    """Return the measures of an episode and those of its classes of jobs."""
    return measure(run) | measured_by_class(run)


def outcomes(log: EpisodeLog, steps: dict[str, np.ndarray], total_cores: float) -> Outcomes:
    """An episode's log and its steps' rewards and costs, as the measures take them.

    Rows are attempts; a job stands at the row of its first one and ends with its last one.
    """
    judged, placed = log.judged, np.flatnonzero(log.site >= 0)
    last = np.arange(len(log))
    last[log.origin[placed]] = placed  # in order of rows, so that the last attempt stays
    return Outcomes(
        judged=judged,
        arrival_s=log.arrival_s,
        start_s=log.starting_s,
        end_s=log.end_s,
        ideal_s=log.ideal_s,
        cores=log.cores,
        project=log.project,
        size=size_class(log.workload_true, judged),
        input_bytes=log.input_bytes,
        moved_bytes=log.moved_bytes + log.replicated_bytes,
        remote=log.source >= 0,
        of_judged=judged[log.origin],
        placed=log.site >= 0,
        at_black_hole=log.at_black_hole(),
        total_cores=total_cores,
        bound_s=log.bound_s,
        last_end_s=log.end_s[last],
        finished=(log.attempt == 1) & (log.state[last] == "finished"),
        wasted_s=log.wasted_s,
        work=log.workload_true,
        run_s=np.nan_to_num(log.run_s)[last],
        energy_kwh=log.energy_kwh,
        carbon_kg=log.carbon_kg,
        **steps,
    )


def size_class(workload: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Quarter of the judged jobs' true workloads that each job belongs to, int64[n], 0 .. 3."""
    edges = np.quantile(workload[judged], np.arange(1, CLASSES) / CLASSES)
    return np.searchsorted(edges, workload, side="left")
