"""Bootstrap replicates, confidence intervals and bounds.

Distances between samples are biased upwards by noise, and resampling adds more of it. So a
bootstrap interval here is re-centred on the value (`centred`), and scores are graded by the excess
over a reference that carries the same bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import norm, rankdata

Weighted = Callable[[np.ndarray], np.ndarray]
"""A statistic of a table as a function of row weights float64[n]; returns float64[k]."""


def poisson_weights(
    n: int, times: int, rng: np.random.Generator, blocks: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield `times` bootstrap weights float64[n]: each row counts Poisson(1) times.

    With `blocks`, int[n] numbered from 0, all rows of a block count equally often: rows that came
    together are drawn together, as `metrics.tables.blocks` finds them.
    """
    size = n if blocks is None else int(blocks.max()) + 1
    for _ in range(times):
        weights = rng.poisson(1.0, size=size).astype(np.float64)
        if not weights.any():
            weights[:] = 1.0
        yield weights if blocks is None else weights[blocks]


def replicate(
    statistic: Weighted,
    n: int,
    times: int,
    rng: np.random.Generator,
    blocks: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the statistic, float64[k], and its bootstrap replicates, float64[times, k]."""
    value = statistic(np.ones(n))
    draws = np.array([statistic(w) for w in poisson_weights(n, times, rng, blocks)])
    return value, draws.reshape(times, len(value))


def replicate_both(
    statistics: tuple[Weighted, Weighted],
    sizes: tuple[int, int],
    times: int,
    rng: np.random.Generator,
    blocks: np.ndarray | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return two statistics and their bootstrap replicates, two of what `replicate` returns.

    `blocks`, int[sizes[0] + sizes[1]], runs over the rows of both tables: a block that lies in both
    counts equally often in both, so that what they have in common cancels in their difference.
    """
    values = [of(np.ones(n)) for of, n in zip(statistics, sizes, strict=True)]
    draws: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for weights in poisson_weights(sum(sizes), times, rng, blocks):
        sides = weights[: sizes[0]], weights[sizes[0] :]
        for of, side, own in zip(statistics, sides, draws, strict=True):
            own.append(of(side if side.any() else np.ones_like(side)))
    first, second = (
        (value, np.array(own).reshape(times, len(value)))
        for value, own in zip(values, draws, strict=True)
    )
    return first, second


def centred(value: float, draws: np.ndarray, alpha: float) -> tuple[float, float]:
    """Return the two-sided 1 - alpha interval of `value`: spread of the draws around their mean."""
    spread = norm.ppf(1 - alpha / 2) * float(np.std(draws, ddof=1))
    return value - spread, value + spread


def upper(excess: float, draws: np.ndarray, reference_draws: np.ndarray, alpha: float) -> float:
    """Return the one-sided 1 - alpha upper bound of an excess from independent replicates."""
    spread = math.hypot(float(np.std(draws, ddof=1)), float(np.std(reference_draws, ddof=1)))
    return excess + float(norm.ppf(1 - alpha)) * spread


def upper_of_pairs(
    excess: float, draws: np.ndarray, reference_draws: np.ndarray, alpha: float
) -> float:
    """Return the same from replicates that were drawn in pairs (`replicate_both`)."""
    return excess + float(norm.ppf(1 - alpha)) * float(np.std(draws - reference_draws, ddof=1))


def wilson(k: int, n: int, alpha: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share of k in n."""
    z = float(norm.ppf(1 - alpha / 2))
    p, d = k / n, 1 + z * z / n
    middle = (p + z * z / (2 * n)) / d
    half = z / d * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe_upper(k: int, n: int, k0: int, n0: int, alpha: float) -> float:
    """Return the one-sided upper bound of k/n - k0/n0 (Newcombe 1998, hybrid score)."""
    p, p0 = k / n, k0 / n0
    high = wilson(k, n, 2 * alpha)[1]
    low0 = wilson(k0, n0, 2 * alpha)[0]
    return p - p0 + math.hypot(high - p, p0 - low0)


def auc(scores0: np.ndarray, scores1: np.ndarray) -> tuple[float, float]:
    """Return the area under the ROC curve and its standard error (DeLong et al. 1988).

    `scores0` and `scores1` are the scores of the two classes; .5 means indistinguishable.
    """
    m, n = len(scores1), len(scores0)
    both = rankdata(np.concatenate([scores1, scores0]))
    v1 = (both[:m] - rankdata(scores1)) / n
    v0 = 1 - (both[m:] - rankdata(scores0)) / m
    variance = np.var(v1, ddof=1) / m + np.var(v0, ddof=1) / n
    return float(v1.mean()), math.sqrt(float(variance))
