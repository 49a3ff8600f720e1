"""Compare how job streams rank policies: Kendall's tau and top-1 regret against one stream.

The certificate (`metrics.efficacy.ranking`) compares two streams and judges the result against a
real-vs-real reference; here every stream of a benchmark is compared with one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from metrics.efficacy import ranking
from metrics.statistics.intervals import Interval, from_draws
from panda_gym.benchmarking.render import span
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.errors import PolicyError, nearest

Array = np.ndarray

REPEATS: Final = 2000


@dataclass(frozen=True)
class Agreement:
    """Agreement of a stream with the real one in ranking the same policies."""

    stream: str
    tau: Interval
    """Kendall's tau-b of the two rankings by means over seeds."""
    regret: Interval
    """Relative loss on the real stream of the policy that is best on the other stream."""


def agreement(
    table: BenchmarkTable, metric: str, real: str, *, seed: int = 0
) -> tuple[Agreement, ...]:
    """Compare the ranking of every other stream with that of `real`.

    metric: a measure of which less is better. The intervals are percentiles of a bootstrap over the
    seeds of both streams; a draw takes the same seeds for every policy.
    PolicyError for too few policies or an unknown stream.
    """
    if len(table.policies) < ranking.LEAST_POLICIES:
        needed = f"at least {ranking.LEAST_POLICIES} policies"
        raise PolicyError(needed, f"{len(table.policies)}", "benchmark more")
    if real not in table.streams:
        known = table.streams
        raise PolicyError("a stream of this benchmark", repr(real), nearest(real, known))
    rng = np.random.default_rng(seed)
    reference = _matrix(table, metric, real)
    found = []
    for stream in table.streams:
        if stream == real:
            continue
        own = _matrix(table, metric, stream)
        value = _figures(reference.mean(axis=1), own.mean(axis=1))
        draws = np.array(
            [_figures(_drawn(reference, rng), _drawn(own, rng)) for _ in range(REPEATS)]
        )
        tau, regret = (
            from_draws(value[k], draws[:, k], table.level, reference.shape[1]) for k in range(2)
        )
        found.append(Agreement(stream, tau, regret))
    return tuple(found)


def markdown(found: Sequence[Agreement], real: str) -> str:
    """Return the agreements as a Markdown table, one row a stream."""
    lines = [f"| stream | Kendall's tau with {real} | top-1 regret |", "| --- | --- | --- |"]
    lines += [f"| {one.stream} | {span(one.tau)} | {span(one.regret)} |" for one in found]
    return "\n".join(lines) + "\n"


def _matrix(table: BenchmarkTable, metric: str, stream: str) -> Array:
    """float64[policies, seeds], lower is better."""
    return np.stack([table.values(policy, metric, stream) for policy in table.policies])


def _drawn(side: Array, rng: np.random.Generator) -> Array:
    return side[:, rng.integers(side.shape[1], size=side.shape[1])].mean(axis=1)


def _figures(reference: Array, own: Array) -> tuple[float, float]:
    return ranking.tau(reference, own), ranking.regret(reference, own)
