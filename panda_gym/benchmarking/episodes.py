"""One policy on one stream, all seeds side by side; knows grids and logs, never statistics.

Every seed is an environment of its own, seeded as `reset(seed=...)` would, so all policies meet
the same jobs, the same run noise and the same competing load.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from panda_gym.benchmarking.measures import Outcomes, measure
from panda_gym.environments.placement.batch import Batch
from panda_gym.environments.placement.policies import Policy
from panda_gym.episode_log import LoggedEpisode
from panda_gym.errors import PolicyError, StreamError
from panda_gym.oracles import Oracle
from panda_gym.simulator import EpisodeLog

CLASSES: Final = 4
"""Classes of jobs by true workload, between which fairness is measured."""


def play(
    batch: Batch,
    policy: Policy | Oracle,
    seeds: Sequence[int],
    *,
    label: str = "policy",
    tick: Callable[[int], None] | None = None,
) -> list[dict[str, float]]:
    """Return the measures of one episode a seed, drained.

    batch: E = len(seeds) grids. tick: called with the number of decisions just made in each.
    PolicyError if the policy answers with anything but legal sites.
    """
    batch.begin((e, np.random.default_rng(seed)) for e, seed in enumerate(seeds))
    choose = _chooser(batch, policy, seeds)
    kept: dict[str, list[np.ndarray]] = {"reward_pred": [], "reward_true": [], "cost": []}
    while not batch.simulator.done.any():
        observation: Any = batch.observe(copy=False)
        batch.step(legal(choose(observation), observation["action_mask"], label))
        report = batch.report()
        for name, series in kept.items():
            series.append(report[name])
        if tick is not None:
            tick(batch.scenario.decisions)
    steps = {name: np.stack(series) for name, series in kept.items()}
    total_cores = float(batch.platform.cores.sum())
    return [
        measure(outcomes(batch.log(e), {k: v[:, e] for k, v in steps.items()}, total_cores))
        for e in range(len(seeds))
    ]


def _chooser(
    batch: Batch, policy: Policy | Oracle, seeds: Sequence[int]
) -> Callable[[Any], np.ndarray]:
    """What names the sites: a policy from the observation, an oracle from the grids."""
    if isinstance(policy, Oracle):
        oracle = policy
        oracle.reset(batch)
        return lambda observation: oracle.choose(batch)
    policy.reset(len(seeds))
    rng = np.random.default_rng([0, *seeds])
    return lambda observation: policy(observation, rng)


def legal(sites: Any, mask: np.ndarray, label: str) -> np.ndarray:
    """Return a policy's answer as int64[E] (or [E, K]); PolicyError if it is none, or masked.

    mask: int8[E, A], or [E, K, A] for K decisions at once.
    """
    answer = np.asarray(sites)
    if answer.dtype.kind not in "iu" or answer.shape != mask.shape[:-1]:
        shape = " x ".join(map(str, mask.shape[:-1]))
        raise PolicyError(
            f"{shape} whole numbers from policy {label!r}",
            f"{answer.dtype} of shape {answer.shape}",
            "return one site an environment and job",
        )
    inside = (answer >= 0) & (answer < mask.shape[-1])
    named = np.where(inside, answer, 0)[..., None]
    allowed = inside & (np.take_along_axis(mask, named, axis=-1)[..., 0] > 0)
    if not allowed.all():
        where = tuple(np.argwhere(~allowed)[0])
        raise PolicyError(
            f"legal sites from policy {label!r}",
            f"site {answer[where]} in environment {where[0]}",
            "choose where action_mask is 1",
        )
    return answer.astype(np.int64)


def measures_of(episode: LoggedEpisode) -> dict[str, float]:
    """Return the measures of a logged episode, as `play` gave them when it ran.

    StreamError if its log does not say what the steps paid.
    """
    if episode.steps is None:
        raise StreamError("a log with what the steps paid", "one without", "write it with log=")
    decided = episode.steps.count > 0
    steps = {k: getattr(episode.steps, k)[decided] for k in ("reward_pred", "reward_true", "cost")}
    return measure(outcomes(episode.log, steps, float(episode.site_cores.sum())))


def outcomes(log: EpisodeLog, steps: dict[str, np.ndarray], total_cores: float) -> Outcomes:
    """An episode's log and its steps' rewards and costs, as the measures take them.

    Rows are attempts; a job stands at the row of its first one and ends with its last one.
    """
    rows = np.arange(len(log))
    judged = (log.attempt == 1) & (rows >= log.warmup) & (log.site >= 0)
    placed = np.flatnonzero(log.site >= 0)
    last = rows.copy()
    last[log.origin[placed]] = placed  # in order of rows, so that the last attempt stays
    return Outcomes(
        judged=judged,
        arrival_s=log.arrival_s,
        start_s=log.starting_s,
        end_s=log.end_s,
        ideal_s=log.ideal_s,
        cores=log.cores,
        group=size_class(log.workload_true, judged),
        input_bytes=log.input_bytes,
        moved_bytes=log.moved_bytes,
        total_cores=total_cores,
        bound_s=log.bound_s,
        last_end_s=log.end_s[last],
        finished=(log.attempt == 1) & (log.state[last] == "finished"),
        wasted_s=log.wasted_s,
        **steps,
    )


def size_class(workload: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Quarter of the judged jobs' true workloads that each job belongs to, int64[n], 0 .. 3."""
    edges = np.quantile(workload[judged], np.arange(1, CLASSES) / CLASSES)
    return np.searchsorted(edges, workload, side="left")
