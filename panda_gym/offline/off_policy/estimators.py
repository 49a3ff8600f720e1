"""Estimators of a policy's value from episodes of another policy.

All of them are one sum. With ratios rho of the two policies' probabilities, W the product of the
ratios up to a decision, n episodes and discount g,

    estimate = base + sum_t g^t sum_i share_it residual_it

| | share | residual | base | source |
|---|---|---|---|---|
| importance | W_iT / n | r | 0 | Precup et al., ICML 2000 |
| weighted importance | W_iT / sum_i W_iT | r | 0 | Precup et al. |
| per decision | W_it / n | r | 0 | Precup et al. |
| weighted per decision | W_it / sum_i W_it | r | 0 | Thomas, PhD thesis 2015 |
| direct | 0 | - | mean v_0 | - |
| doubly robust | W_it / n | r + g v' - q | mean v_0 | Jiang and Li, arXiv 1511.03722 |
| weighted doubly robust | W_it / sum_i W_it | r + g v' - q | mean v_0 | arXiv 1604.00923 |

Importance, per decision and doubly robust are unbiased for any model if the behaviour takes every
action that the policy may take. A good model reduces the variance of doubly robust.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np

from metrics.statistics.intervals import Interval, from_draws

Array = np.ndarray
REPEATS: Final = 1000
"""Bootstrap samples of an interval."""


@dataclass(frozen=True)
class LoggedEpisodes:
    """n episodes of T decisions, as the estimators take them.

    ratios: float64[n, T], probability of the action under the policy over the behaviour's.
    rewards: float64[n, T], or a cost.
    q: float64[n, T], the model's value of the action taken; zeros without a model.
    v: float64[n, T + 1], the model's value under the policy, 0 after the last decision.
    """

    ratios: Array
    rewards: Array
    q: Array
    v: Array

    def __len__(self) -> int:
        return len(self.ratios)

    @cached_property
    def weights(self) -> Array:
        """Products of the ratios up to and including each decision, float64[n, T]."""
        return np.cumprod(self.ratios, axis=1)

    def take(self, rows: Array) -> LoggedEpisodes:
        """Return the episodes of the given rows; a row may repeat."""
        taken = LoggedEpisodes(*(getattr(self, field.name)[rows] for field in fields(self)))
        taken.__dict__["weights"] = self.weights[rows]
        return taken

    @property
    def effective_episodes(self) -> float:
        """(sum W_iT)^2 / sum W_iT^2: effective number of the n episodes at the end."""
        last = self.weights[:, -1]
        square = float((last**2).sum())
        return float(last.sum()) ** 2 / square if square > 0.0 else 0.0


@dataclass(frozen=True)
class Estimator:
    """One row of the table above.

    whole: weight each decision by the ratio of the whole episode. normalised: weights of a decision
    sum to 1. model: uses a model of the values. weighing: False where the model is used alone.
    """

    whole: bool = False
    normalised: bool = False
    model: bool = False
    weighing: bool = True


ESTIMATORS: Final[Mapping[str, Estimator]] = MappingProxyType(
    {
        "importance": Estimator(whole=True),
        "weighted_importance": Estimator(whole=True, normalised=True),
        "per_decision": Estimator(),
        "weighted_per_decision": Estimator(normalised=True),
        "direct": Estimator(model=True, weighing=False),
        "doubly_robust": Estimator(model=True),
        "weighted_doubly_robust": Estimator(model=True, normalised=True),
    }
)
"""Estimators by name."""


def estimate(logged: LoggedEpisodes, name: str, gamma: float) -> float:
    """Return the estimate `name` of the policy's expected discounted return over an episode."""
    kind = ESTIMATORS[name]
    base = float(logged.v[:, 0].mean()) if kind.model else 0.0
    if not kind.weighing:
        return base
    residual = logged.rewards
    if kind.model:
        residual = residual + gamma * logged.v[:, 1:] - logged.q
    discount = gamma ** np.arange(residual.shape[1])
    return base + float((_shares(logged, kind) * residual).sum(axis=0) @ discount)


def interval(
    logged: LoggedEpisodes,
    name: str,
    gamma: float,
    *,
    level: float = 0.95,
    repeats: int = REPEATS,
    seed: int = 0,
) -> Interval:
    """Return an estimate with its percentile bootstrap interval over whole episodes."""
    rng, n = np.random.default_rng(seed), len(logged)
    samples = [estimate(logged.take(rng.integers(0, n, n)), name, gamma) for _ in range(repeats)]
    return from_draws(estimate(logged, name, gamma), np.array(samples), level, n)


def _shares(logged: LoggedEpisodes, kind: Estimator) -> Array:
    """Return the weight of each decision, float64[n, T]; 0 where all ratios are 0."""
    weights = logged.weights
    if kind.whole:
        weights = np.broadcast_to(weights[:, -1:], weights.shape)
    if not kind.normalised:
        return weights / len(logged)
    sums = weights.sum(axis=0)
    return weights / np.where(sums > 0.0, sums, 1.0)
