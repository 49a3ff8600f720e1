"""Column by column: how far the synthetic numbers and categories are from the real ones.

WD   Wasserstein-1 distance of a number, integral of |F - G| (Kantorovich), on a scale of
     `metrics.scales`; the paper's WD is its mean over the number columns.
JSD  Jensen-Shannon divergence of a category in bits (Lin 1991), 0 to 1; the paper's JSD is its
     mean over the category columns.

Knows single columns; never how columns hang together (association, detection).
NOTE[DIFF] The WD and JSD columns of the paper's Table I are not these definitions: a near-perfect
generator scores below .005 here and about .8 there. Compare its diff-CORR, DCR and diff-MLEF.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from metrics import scales
from metrics.base import Score, Study
from metrics.errors import MetricError, NotApplicable
from metrics.resampling import centred, replicate, upper
from metrics.tables import Sample, read

JSD_NOTE = "Jensen-Shannon divergence of the shares of a category's levels, bits"


def wd(synthetic: pd.DataFrame, reference: pd.DataFrame, *, scale: str = "rank") -> float:
    """Return the mean Wasserstein-1 distance over the number columns, in units of the scale.

    Parameters
    ----------
    synthetic, reference
        Tables with the same columns.
    scale
        "rank", "minmax" (the paper's) or "log", fitted on `reference`.
    """
    return float(np.mean(list(wd_by_column(synthetic, reference, scale=scale).values())))


def wd_by_column(
    synthetic: pd.DataFrame, reference: pd.DataFrame, *, scale: str = "rank"
) -> dict[str, float]:
    """Return the Wasserstein-1 distance of each number column (see `wd`)."""
    tables = read({"reference": reference, "synthetic": synthetic})
    mine, real = tables["synthetic"], tables["reference"]
    if not mine.schema.numbers:
        raise MetricError("a number column for WD", "none", "pass a table with numbers")
    return {
        name: float(wd_statistic(mine.number(name), real.number(name), scale)(np.ones(len(mine))))
        for name in mine.schema.numbers
    }


def jsd(synthetic: pd.DataFrame, reference: pd.DataFrame) -> float:
    """Return the mean Jensen-Shannon divergence over the category columns, in bits (0 to 1)."""
    return float(np.mean(list(jsd_by_column(synthetic, reference).values())))


def jsd_by_column(synthetic: pd.DataFrame, reference: pd.DataFrame) -> dict[str, float]:
    """Return the Jensen-Shannon divergence of each category column, in bits.

    Levels that only one table has count in full: two tables without a common level score 1.
    """
    tables = read({"reference": reference, "synthetic": synthetic})
    mine, real = tables["synthetic"], tables["reference"]
    if not mine.schema.categories:
        raise MetricError("a category column for JSD", "none", "pass a table with categories")
    return {
        name: divergence(shares(mine, name), shares(real, name)) for name in mine.schema.categories
    }


def wd_statistic(x: np.ndarray, reference: np.ndarray, scale: str) -> Callable[[np.ndarray], float]:
    """Return the distance of `x` from `reference` as a function of the weights of `x`'s rows.

    Missing values are set apart: the difference of their shares moves by one whole scale.
    """
    fitted = scales.fit(scale, reference)
    here, there = ~np.isnan(x), ~np.isnan(reference)
    line = np.concatenate([fitted(x[here]), fitted(reference[there])])
    order = np.argsort(line, kind="stable")
    steps = np.diff(line[order])
    real = np.full(int(there.sum()), -1.0 / max(int(there.sum()), 1))

    def distance(weights: np.ndarray) -> float:
        present = weights[here]
        gap = abs(1 - present.sum() / weights.sum() - (1 - there.mean()))
        if not present.sum():
            return float(gap)
        mass = np.concatenate([present / present.sum(), real])[order]
        return float(np.abs(np.cumsum(mass)[:-1]) @ steps + gap)

    return distance


def shares(sample: Sample, name: str, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the share of every level of a category column, float64[levels]."""
    size = len(sample.schema.levels[name])
    counts = np.bincount(sample.category(name), weights=weights, minlength=size)
    return counts / counts.sum()


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    """Return the Jensen-Shannon divergence of two distributions over the same levels, in bits."""
    middle = (p + q) / 2
    return max(0.0, (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2)


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    here = p > 0
    return float(p[here] @ np.log2(p[here] / q[here]))


def measure_wd(study: Study) -> list[Score]:
    """Score WD: the mean on each scale, and each number on the rank scale."""
    schema = study.train.schema
    if not schema.numbers:
        raise NotApplicable("a number column", "none", "nothing: WD is left out")
    real = study.train.draw(int(study.settings["reference_rows"]), study.rng("wd/reference"))
    found: list[Score] = []
    for scale, id in (("rank", "wd"), ("minmax", "wd_minmax"), ("log", "wd_log")):
        names = [n for n in schema.numbers if not (scale == "log" and n in schema.times)]

        def statistic(sample: Sample, scale: str = scale, names: list[str] = names) -> Callable:
            parts = [wd_statistic(sample.number(n), real.number(n), scale) for n in names]
            return lambda weights: np.array([part(weights) for part in parts])

        note = f"Wasserstein distance of the distribution of a number, {scale} scale"
        found += _compare(study, id, statistic, names, detail=scale == "rank", note=note)
    return found


def measure_jsd(study: Study) -> list[Score]:
    """Score JSD: the mean, each category, and the share of novel and of missing levels."""
    names = list(study.train.schema.categories)
    if not names:
        raise NotApplicable("a category column", "none", "nothing: JSD is left out")
    real = {name: shares(study.train, name) for name in names}

    def statistic(sample: Sample) -> Callable:
        return lambda weights: np.array(
            [divergence(shares(sample, name, weights), real[name]) for name in names]
        )

    found = _compare(study, "jsd", statistic, names, detail=True, note=JSD_NOTE)
    return found + _levels(study, real)


def _compare(
    study: Study, id: str, statistic: Callable, names: list[str], *, detail: bool, note: str
) -> list[Score]:
    """Return a headline score (mean over columns) and, with `detail`, one for each column."""
    if not names:
        return []  # no column but times has a log scale
    synthetic, holdout = study.draws("fidelity_rows")
    n, times = len(synthetic), int(study.settings["bootstrap"])
    value, draws = replicate(statistic(synthetic), n, times, study.rng(f"{id}/synthetic"))
    floor, floors = replicate(statistic(holdout), n, times, study.rng(f"{id}/holdout"))
    found = [_score(study, id, value.mean(), draws.mean(1), floor.mean(), floors.mean(1), n, note)]
    if detail:
        for i, name in enumerate(names):
            columns = (value[i], draws[:, i], floor[i], floors[:, i])
            found.append(_score(study, f"{id}.{name}", *columns, n, note))
    return found


def _score(
    study: Study,
    id: str,
    value: float,
    draws: np.ndarray,
    floor: float,
    floors: np.ndarray,
    n: int,
    note: str,
) -> Score:
    low, high = centred(float(value), draws, study.alpha)
    bound = upper(float(value - floor), draws, floors, study.alpha)
    return Score(
        id, "fidelity", float(value), max(low, 0.0), high, float(floor), bound, n, note=note
    )


def _levels(study: Study, real: dict[str, np.ndarray]) -> list[Score]:
    """Score the mass on levels that train has not (novel), and train's mass that is missed."""
    synthetic, holdout = study.draws("fidelity_rows")
    n, times = len(synthetic), int(study.settings["bootstrap"])

    def statistic(sample: Sample) -> Callable:
        def both(weights: np.ndarray) -> np.ndarray:
            mine = {name: shares(sample, name, weights) for name in real}
            novel = np.mean([mine[name][real[name] == 0].sum() for name in real])
            missed = np.mean([real[name][mine[name] == 0].sum() for name in real])
            return np.array([novel, missed])

        return both

    value, draws = replicate(statistic(synthetic), n, times, study.rng("levels/synthetic"))
    floor, floors = replicate(statistic(holdout), n, times, study.rng("levels/holdout"))
    notes = ("mean share of rows on levels that train has not", "mean share of train rows missed")
    return (
        [
            _score(study, id, value[i], draws[:, i], floor[i], floors[:, i], n, notes[i])
            for i, id in enumerate(("novel_levels", "missing_levels"))
        ]
        if real
        else []
    )
