"""Compare policies statistically: improvement, profiles, normalised scores, headroom.

After Agarwal et al. (NeurIPS 2021). Performance profiles are those of Dolan and More (2002),
because a score is a ratio within a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from metrics.statistics.intervals import percentiles
from panda_gym.benchmarking.intervals import Interval, bootstrap, mean
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.errors import PolicyError

Array = np.ndarray

BETTER: Final = {measure.name: measure.better for measure in MEASURES}

LIMITS: Final = (0.5, 0.75, 1.0)
"""Cost limits as shares of the baseline's mean cost, where none are given."""


@dataclass(frozen=True)
class Profile:
    """Share of episodes in which a policy is within a factor of the best one of the same seed."""

    policy: str
    factor: Array
    """float64[T], from 1 on."""
    share: Array
    """float64[T]."""
    low: Array
    """Lower end of the pointwise interval, float64[T]."""
    high: Array
    """Upper end."""


def improvement(
    table: BenchmarkTable, policy: str, metric: str, *, against: str | None = None
) -> Interval:
    """Return the probability that a policy is better than `against` (the baseline) on a seed.

    NOTE[DIFF]: Agarwal et al. compare every run of one with every run of the other; seeds are
    paired here, so runs of the same seed are compared. A tie counts half. The bootstrap draws seeds
    within streams.
    """
    other = table.baseline if against is None else against
    sign = _sign(metric)
    wins = []
    for stream in table.streams:
        apart = sign * (table.values(policy, metric, stream) - table.values(other, metric, stream))
        wins.append((apart > 0.0) + 0.5 * (apart == 0.0))
    return bootstrap(wins, level=table.level, statistic=mean)


def profiles(
    table: BenchmarkTable, metric: str, factors: Sequence[float] | None = None
) -> list[Profile]:
    """Return every policy's performance profile over all seeds of all streams.

    The measure must be positive. factors: where they are evaluated; 1 to 4 by default.
    """
    ratios = _ratios(table, metric)
    at = np.geomspace(1.0, 4.0, 61) if factors is None else np.asarray(factors, dtype=np.float64)
    found = []
    for policy, strata in ratios.items():
        rng = np.random.default_rng(0)
        below = [stratum[:, None] <= at * (1.0 + 1e-12) for stratum in strata]
        drawn = np.concatenate(
            [inside[rng.integers(0, len(inside), (500, len(inside)))] for inside in below], axis=1
        ).mean(axis=1)
        low, high = percentiles(drawn, table.level)
        found.append(Profile(policy, at, np.concatenate(below).mean(axis=0), low, high))
    return found


def normalised_reward(
    table: BenchmarkTable, policy: str, stream: str, *, low: str, high: str
) -> Interval:
    """Return (reward - that of `low`) / (that of `high` - that of `low`), from `reward_pred`.

    0 is the policy `low` (random, say) and 1 the policy `high`, as in D4RL (Fu et al. 2020).
    """
    floor, top = (table.values(name, "reward_pred", stream).mean() for name in (low, high))
    if not top > floor:
        raise PolicyError(f"{high!r} of more reward than {low!r}", "less or as much", "swap them")
    values = (table.values(policy, "reward_pred", stream) - floor) / (top - floor)
    return bootstrap([values], level=table.level, statistic=mean)


def normalised_costs(
    table: BenchmarkTable, policy: str, stream: str, limits: Sequence[float] | None = None
) -> dict[float, Interval]:
    """Return cost / limit by limit: at most 1 keeps it (as in DSRL, Liu et al. 2024).

    limits: mean costs a step; three shares of the baseline's by default.
    """
    if limits is None:
        whole = float(table.values(table.baseline, "cost", stream).mean())
        limits = [share * whole for share in LIMITS]
    values = table.values(policy, "cost", stream)
    return {
        limit: bootstrap([values / limit], level=table.level, statistic=mean)
        for limit in limits
        if limit > 0.0
    }


def headroom(
    table: BenchmarkTable, bound: str, metric: str, stream: str, rules: Sequence[str]
) -> tuple[str, Interval]:
    """Return the best of the policies `rules` and 1 - bound / best, paired, by geometric means.

    The measure is one of which less is better.
    """
    logs = {p: np.log(table.values(p, metric, stream)) for p in (*rules, bound)}
    best = min(rules, key=lambda policy: float(logs[policy].mean()))
    apart = bootstrap([logs[bound] - logs[best]], level=table.level, statistic=mean)
    value, low, high = (1.0 - float(np.exp(x)) for x in (apart.value, apart.high, apart.low))
    return best, Interval(value, low, high, apart.n)


def _sign(metric: str) -> float:
    if BETTER.get(metric) not in ("low", "high"):
        named = [name for name, better in BETTER.items() if better != "neither"]
        raise PolicyError("a measure with a better end", repr(metric), f"take one of {named}")
    return 1.0 if BETTER[metric] == "high" else -1.0


def _ratios(table: BenchmarkTable, metric: str) -> dict[str, list[Array]]:
    """Return how many times worse than the best of its seed each run is, by policy and stream."""
    sign = _sign(metric)
    found: dict[str, list[Array]] = {policy: [] for policy in table.policies}
    for stream in table.streams:
        values = np.stack([table.values(policy, metric, stream) for policy in table.policies])
        if not (values > 0.0).all():
            raise PolicyError("a positive measure", f"{metric} of 0 or less", "take a slowdown")
        worse = values / values.min(axis=0) if sign < 0 else values.max(axis=0) / values
        for policy, row in zip(table.policies, worse, strict=True):
            found[policy].append(row)
    return found
