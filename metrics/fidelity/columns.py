"""Distances of single columns: Wasserstein for numbers, Jensen-Shannon for categories.

WD   Wasserstein-1 distance of a number, integral of |F - G| (Kantorovich), on a scale of
     `metrics.tables.scales`; the paper's WD is its mean over the number columns.
JSD  Jensen-Shannon divergence of a category in bits (Lin 1991), 0 to 1; the paper's JSD is its
     mean over the category columns.
NOTE[DIFF] The WD and JSD columns of the paper's Table I are not these definitions: a near-perfect
generator scores below .005 here and about .8 there. Compare its diff-CORR, DCR and diff-MLEF.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from metrics.base import Score, Study
from metrics.errors import MetricError, NotApplicable
from metrics.statistics.contrast import contrast
from metrics.statistics.resampling import Weighted
from metrics.tables import scales
from metrics.tables.samples import Sample, read


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
    names = list(study.train.schema.numbers)
    if not names:
        raise NotApplicable("a number column", "none", "nothing: WD is left out")
    plain = [name for name in names if name not in study.train.schema.times] or names
    real = study.train.draw(int(study.settings["reference_rows"]), study.rng("wd/reference"))
    used = {"rank": names, "minmax": names, "log": plain}

    def statistic(sample: Sample) -> Weighted:
        parts = {
            scale: [wd_statistic(sample.number(n), real.number(n), scale) for n in columns]
            for scale, columns in used.items()
        }

        def distances(weights: np.ndarray) -> np.ndarray:
            found = {scale: [part(weights) for part in own] for scale, own in parts.items()}
            return np.array([*(np.mean(own) for own in found.values()), *found["rank"]])

        return distances

    note = "Wasserstein distance of the distribution of a number, {} scale"
    means = {"wd": "rank", "wd_minmax": "minmax", "wd_log": "log"}
    notes = {id: note.format(scale) for id, scale in means.items()}
    notes |= {f"wd.{name}": note.format("rank") for name in names}
    return contrast(study, "wd", statistic, notes)


def measure_jsd(study: Study) -> list[Score]:
    """Score JSD: the mean, the shares of novel and of missing levels, and each category."""
    names = list(study.train.schema.categories)
    if not names:
        raise NotApplicable("a category column", "none", "nothing: JSD is left out")
    real = [shares(study.train, name) for name in names]

    def statistic(sample: Sample) -> Weighted:
        def distances(weights: np.ndarray) -> np.ndarray:
            mine = [shares(sample, name, weights) for name in names]
            both = list(zip(mine, real, strict=True))
            found = [divergence(p, q) for p, q in both]
            novel = np.mean([p[q == 0].sum() for p, q in both])
            missed = np.mean([q[p == 0].sum() for p, q in both])
            return np.array([np.mean(found), novel, missed, *found])

        return distances

    note = "Jensen-Shannon divergence of the shares of a category's levels, bits"
    notes = {
        "jsd": note,
        "novel_levels": "mean share of rows on levels that train has not",
        "missing_levels": "mean share of train's rows on levels that are missed",
        **{f"jsd.{name}": note for name in names},
    }
    return contrast(study, "jsd", statistic, notes)
