"""Agreement of policy rankings on real and on synthetic jobs.

A surrogate serves to compare policies. Given the outcomes of the same policies on worlds of real
jobs and on worlds of synthetic ones, Kendall's tau-b (1945) says how alike the two rankings are,
and the top-1 regret how much worse, on real jobs, the policy is that synthetic ones call best. The
reference ranks by other worlds of real jobs, so that it shows how far the worlds alone disagree.
Outcomes are plain tables; who simulated them is unknown here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, norm

from metrics.base import Score, Study
from metrics.errors import MetricError, NotApplicable, check_seed

STREAMS = ("real", "synthetic")
"""The two tables of outcomes that are needed."""
LEAST_POLICIES = 3
"""Policies below which a ranking says nothing."""
LEAST_WORLDS = {"real": 8, "synthetic": 4}
"""Worlds below which a table of outcomes is not ranked; real ones are split in two halves."""
TIMES = 500
"""Bootstrap replicates."""


def tau(a: np.ndarray, b: np.ndarray) -> float:
    """Return Kendall's tau-b of two rows of figures; 0 where all of one are equal."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return round(float(kendalltau(a, b).statistic), 12)  # a ratio of roots, 1 but for rounding


def regret(outcome: np.ndarray, chosen_by: np.ndarray) -> float:
    """Return how much worse the best by `chosen_by` is than the best, as a share of the best.

    Both are figures by policy, lower is better. Where the best is 0 the difference itself is given.
    """
    best = float(outcome.min())
    return float(outcome[int(chosen_by.argmin())] - best) / (abs(best) or 1.0)


def ranking_fidelity(
    outcomes: Mapping[str, pd.DataFrame], *, seed: int = 0, alpha: float = 0.05
) -> dict[str, Score]:
    """Return "ranking_tau" and "ranking_regret": are policies ranked alike on both kinds of jobs?

    `outcomes` holds two tables, "real" and "synthetic": a row a policy, a column a world, lower is
    better. Half of the real worlds rank the policies; the other half, and as many synthetic ones,
    choose. Intervals at level 1 - `alpha` resample worlds, the same for all policies. MetricError
    for tables that cannot be ranked.
    """
    rng = np.random.default_rng(check_seed(seed))
    return {score.id: score for score in _scores(outcomes, rng, alpha)}


def measure(study: Study) -> list[Score]:
    """Score the agreement of the rankings and the regret of choosing on synthetic jobs."""
    if study.outcomes is None:
        raise NotApplicable(
            "outcomes of policies on real and on synthetic jobs", "none", "pass outcomes= to rank"
        )
    return _scores(study.outcomes, study.rng("ranking"), study.alpha)


def _scores(
    outcomes: Mapping[str, pd.DataFrame], rng: np.random.Generator, alpha: float
) -> list[Score]:
    tables = _tables(outcomes)
    order = rng.permutation(tables["real"].shape[1])
    half = len(order) // 2
    n = min(half, tables["synthetic"].shape[1])
    reference, other = tables["real"][:, order[:half]], tables["real"][:, order[half : half + n]]
    mine = tables["synthetic"][:, rng.permutation(tables["synthetic"].shape[1])[:n]]
    sides = (reference, mine, other)
    value = _figures(*(side.mean(axis=1) for side in sides))
    draws = np.array([_figures(*(_resampled(side, rng) for side in sides)) for _ in range(TIMES)])
    words = f"of {len(reference)} policies, {half} real worlds ranking, {n} of each kind choosing"
    return [
        _score(alpha, "ranking_tau", value, draws, 0, n, f"Kendall's tau of the rankings {words}"),
        _score(alpha, "ranking_regret", value, draws, 2, n, f"regret of the best {words}"),
    ]


def _figures(reference: np.ndarray, mine: np.ndarray, other: np.ndarray) -> list[float]:
    """Return tau of synthetic and of other real worlds with the judging ones, and the regrets."""
    return [
        tau(reference, mine),
        tau(reference, other),
        regret(reference, mine),
        regret(reference, other),
    ]


def _resampled(side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the means over worlds drawn with replacement, the same ones for every policy."""
    return side[:, rng.integers(side.shape[1], size=side.shape[1])].mean(axis=1)


def _score(
    alpha: float, id: str, value: list[float], draws: np.ndarray, at: int, n: int, note: str
) -> Score:
    """Score a figure and its reference, which stand side by side, from the replicates of both."""
    better = "higher" if at == 0 else "lower"
    limits = (-1.0, 1.0) if at == 0 else (0.0, np.inf)
    mine, reference = value[at], value[at + 1]
    sign = -1.0 if better == "higher" else 1.0
    z, z_one = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(1 - alpha))
    spread = z * float(draws[:, at].std(ddof=1))
    gap = float((draws[:, at] - draws[:, at + 1]).std(ddof=1))
    low, high = max(limits[0], mine - spread), min(limits[1], mine + spread)
    bound = sign * (mine - reference) + z_one * gap
    return Score(id, mine, low, high, reference, bound, n, better=better, note=note)


def _tables(outcomes: Mapping[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    """Return both tables as float64[policies, worlds], policies in the same sorted order."""
    if set(outcomes) != set(STREAMS):
        came = ", ".join(map(str, outcomes)) or "none"
        raise MetricError(f"outcomes of {' and '.join(STREAMS)} jobs", came, "pass both by name")
    found, names = {}, sorted(map(str, outcomes["real"].index))
    for word in STREAMS:
        table = outcomes[word].set_axis(outcomes[word].index.map(str), axis=0)
        if sorted(table.index) != names or len(set(names)) != len(names):
            came = ", ".join(sorted(table.index))
            needed = f"the policies {', '.join(names)} once each in the {word} outcomes"
            raise MetricError(needed, came, "benchmark the same policies on both")
        values = table.loc[names].to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            do = "leave out those worlds"
            raise MetricError(f"finite {word} outcomes", f"{bad} that are not", do)
        if len(names) < LEAST_POLICIES or values.shape[1] < LEAST_WORLDS[word]:
            needed = f"at least {LEAST_POLICIES} policies and {LEAST_WORLDS[word]} {word} worlds"
            raise MetricError(needed, f"{len(names)} and {values.shape[1]}", "benchmark more")
        found[word] = values
    return found
