"""Distance to the closest record (DCR), copies, near copies, and closeness to training rows.

DCR (paper, section IV-B): distance of a synthetic row to the closest training row, here exact
over the whole training set. The control group is held-out real rows: whatever closeness they
show is chance. Distances may fail a generator but never clear it ("The DCR Delusion", arXiv
2505.01524): what a passing certificate says is "no leak found at this power".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.privacy.attack_rates import excess_lower, least_found
from metrics.privacy.copies import (
    PROVEN_ALPHA,
    copied_units,
    copies_proven,
    partial_copy_score,
    tight_copy_score,
)
from metrics.privacy.nearest import NearestRecords, Progress
from metrics.statistics.means import mean_score
from metrics.statistics.resampling import newcombe_upper, wilson
from metrics.tables import scales
from metrics.tables.samples import Sample, read

NEAR_QUANTILE = 0.01
"""A near copy is nearer to train than this quantile of the held-out rows."""

CURVE = np.linspace(0.01, 0.99, 50)
"""Shares at which the distances' distribution is kept for a figure."""


def dcr(
    synthetic: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    scale: str = "rank",
    category_weight: float = 1.0,
    progress: Progress | None = None,
) -> float:
    """Return the mean distance of synthetic rows to their closest reference row (DCR).

    See `dcr_distances` for the distance. Only its comparison with the same number for held-out
    real rows says anything about privacy.
    """
    distances = dcr_distances(
        synthetic, reference, scale=scale, category_weight=category_weight, progress=progress
    )
    return float(np.sort(distances).mean())


def dcr_distances(
    synthetic: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    scale: str = "rank",
    category_weight: float = 1.0,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return each synthetic row's distance to its closest reference row, in row order, float64[n].

    The distance is the root of the squared differences of numbers on a scale ("rank", "minmax" or
    "log", fitted on the reference) plus `category_weight` for each category that differs. A
    missing number counts as a category of its own. Exact at any size.
    """
    if not (isinstance(category_weight, int | float) and 0 < category_weight < math.inf):
        raise MetricError("a positive category weight", repr(category_weight), "use for example 1")
    tables = read({"reference": reference, "synthetic": synthetic}, canonical=False)
    space = Space.fit(tables["reference"], scale, category_weight)
    return space.nearest(tables["synthetic"], progress)


@dataclass(frozen=True)
class Space:
    """A reference table as points, ready to be asked for nearest rows."""

    reference: Sample
    """The rows that are searched."""
    scales: tuple[scales.Scale, ...]
    """One scale for each number."""
    index: NearestRecords
    """The index over the scaled rows."""

    @classmethod
    def fit(
        cls, reference: Sample, scale: str, weight: float = 1.0, fitted_on: Sample | None = None
    ) -> Space:
        """Index `reference`, with scales fitted on it or on another real table."""
        source = (reference if fitted_on is None else fitted_on).numbers
        fitted = tuple(scales.fit(scale, source[:, i]) for i in range(source.shape[1]))
        return cls(reference, fitted, NearestRecords(*points(reference, fitted), weight))

    def nearest(self, sample: Sample, progress: Progress | None = None) -> np.ndarray:
        """Return each row's distance to its nearest reference row, float64[n]."""
        return self.index.query(*points(sample, self.scales), progress=progress)


def points(sample: Sample, fitted: tuple[scales.Scale, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled numbers (missing at .5) and codes, one more for "is missing" per number."""
    missing = np.isnan(sample.numbers)
    numbers = (
        np.column_stack(
            [scale(np.nan_to_num(sample.numbers[:, i])) for i, scale in enumerate(fitted)]
        )
        if fitted
        else np.empty((len(sample), 0))
    )
    numbers[missing] = 0.5
    return numbers, np.column_stack([sample.codes, missing.astype(np.int32)])


def exact_copies(sample: Sample, reference: Sample) -> np.ndarray:
    """Return which rows of a sample stand in the reference, equal in every column, bool[n]."""
    keys = [_row_keys(s) for s in (sample, reference)]
    return np.isin(keys[0], keys[1])


def _row_keys(sample: Sample) -> np.ndarray:
    """Return each row's bytes."""
    numbers = np.where(np.isnan(sample.numbers), np.inf, sample.numbers)
    packed = np.ascontiguousarray(np.column_stack([numbers, sample.codes]))
    return packed.view(f"S{packed.shape[1] * 8}").ravel()


def ks_leak(
    synthetic: np.ndarray, holdout: np.ndarray, alpha: float = 0.05
) -> tuple[float, float, float]:
    """Return D+, its critical value and its p-value: are synthetic rows nearer than held-out ones?

    D+ = sup over x of F_synthetic(x) - F_holdout(x) for the two samples of distances to train.
    By Massart's constant in the Dvoretzky-Kiefer-Wolfowitz inequality
    P(D+ > e) <= exp(-2 e^2 n m / (n + m)) when both come from one distribution, so that
    D+ > sqrt(ln(1/alpha) (n + m) / (2 n m)) is a leak at error level alpha.
    """
    n, m = len(synthetic), len(holdout)
    line = np.unique(np.concatenate([synthetic, holdout]))
    below = [np.searchsorted(np.sort(x), line, side="right") / len(x) for x in (synthetic, holdout)]
    d = max(0.0, float((below[0] - below[1]).max()))
    effective = n * m / (n + m)
    return d, math.sqrt(math.log(1 / alpha) / (2 * effective)), math.exp(-2 * effective * d * d)


def least_copies_found(holdout_copies: int, holdout_n: int, n: int, alpha: float) -> float:
    """Return the smallest share of exact copies that the copy test finds in n rows.

    That is the smallest k/n whose one-sided Newcombe lower bound over the held-out rate is
    positive, less the chance rate's own place in it.
    """
    return least_found(holdout_copies, holdout_n, n, alpha)


def copies_lower(k: int, n: int, k0: int, n0: int, alpha: float) -> float:
    """Return the one-sided lower bound of k/n - k0/n0."""
    return excess_lower(k, n, k0, n0, alpha)


def measure(study: Study) -> list[Score]:
    """Score DCR, its KS test, copies of several kinds, and the share closer to train than holdout.

    Distances go to the whole training table (or its drawn rows under a quick setting) on the rank
    scale. Shares of all synthetic and all held-out rows need no equal numbers.
    """
    rows = int(study.settings["privacy_rows"])
    least = min(len(study.synthetic), len(study.holdout) // 2)
    if least < 2:
        needed = "at least two synthetic and four held-out rows"
        came = f"{len(study.synthetic)} and {len(study.holdout)}"
        raise MetricError(needed, came, "pass more rows")
    mine = training_space(study).nearest(study.synthetic.draw(rows, study.rng("dcr/synthetic")))

    real = holdout_distances(study)
    flags = [exact_copies(sample, study.train) for sample in (study.synthetic, study.holdout)]
    copies = [int(own.sum()) for own in flags]
    study.notes["dcr"] = _notes(study, mine, real, copies) | _proven(study, flags)
    return [
        _mean_score(study, mine, real),
        _ks_score(study, mine, real),
        _copy_score(study, *copies),
        _near_score(study, mine, real),
        tight_copy_score(study, mine, real),
        partial_copy_score(study),
        _closer_score(study),
    ]


def training_space(study: Study) -> Space:
    """Return the index of the training rows that this study searches, built once."""
    if "training_space" not in study.shared:
        rows = int(study.settings["privacy_reference_rows"])
        train = study.train.draw(rows, study.rng("dcr/train"))
        study.shared["training_space"] = Space.fit(train, "rank")
    space: Space = study.shared["training_space"]
    return space


def held_out_halves(study: Study) -> tuple[Sample, Sample]:
    """Return two halves of the held-out rows: reference rows to search, and rows to try.

    Groups stay whole: a row with others of its group among the reference rows lies near to them
    for that reason alone, which no training row does.
    """
    rng, most = study.rng("closer"), int(study.settings["privacy_reference_rows"])
    if study.holdout.groups is not None:
        label = np.unique(study.holdout.groups, return_inverse=True)[1]
        first = rng.permutation(int(label.max()) + 1)[label] % 2 == 0
        halves = (study.holdout.take(np.flatnonzero(half)) for half in (first, ~first))
        reference, tried = (half.draw(most, rng) for half in halves)
        return reference, tried
    order = rng.permutation(len(study.holdout))
    n = min(len(order) // 2, most)
    return study.holdout.take(order[:n]), study.holdout.take(order[n : 2 * n])


def reference_space(study: Study) -> Space:
    """Return the index of the reference half of the held-out rows, built once."""
    if "reference_space" not in study.shared:
        reference = held_out_halves(study)[0]
        study.shared["reference_space"] = Space.fit(reference, "rank", fitted_on=study.train)
    space: Space = study.shared["reference_space"]
    return space


def synthetic_space(study: Study) -> Space:
    """Return the index of the synthetic rows that this study searches, built once."""
    if "synthetic_space" not in study.shared:
        rows = int(study.settings["privacy_reference_rows"])
        synthetic = study.synthetic.draw(rows, study.rng("dcr/synthetic index"))
        study.shared["synthetic_space"] = Space.fit(synthetic, "rank", fitted_on=study.train)
    space: Space = study.shared["synthetic_space"]
    return space


def holdout_distances(study: Study) -> np.ndarray:
    """Return the distances of this study's held-out rows to train, float64[n], computed once."""
    if "holdout_distances" not in study.shared:
        rows = int(study.settings["privacy_rows"])
        holdout = study.holdout.draw(rows, study.rng("dcr/holdout"))
        study.shared["holdout_distances"] = training_space(study).nearest(holdout)
    distances: np.ndarray = study.shared["holdout_distances"]
    return distances


def _mean_score(study: Study, mine: np.ndarray, real: np.ndarray) -> Score:
    note = "mean distance to the closest training row; the reference is that of held-out rows"
    return mean_score(study, "dcr", (mine, real), note, better="higher")


def _ks_score(study: Study, mine: np.ndarray, real: np.ndarray) -> Score:
    d, critical, p = ks_leak(mine, real, study.alpha)
    half = len(real) // 2
    shuffled = study.rng("dcr/floor").permutation(real)
    reference = ks_leak(shuffled[:half], shuffled[half:], study.alpha)[0]
    note = (
        f"one-sided Kolmogorov-Smirnov D+ of the distances, p = {p:.3g}; the reference is "
        "one half of the held-out rows against the other"
    )
    # The bound is on D+ itself: without a leak it is centred near 0, not on the reference.
    low, high = max(0.0, d - critical), min(1.0, d + critical)
    return Score("dcr_ks", d, low, high, reference, high, len(mine), note=note, tail="dkw")


def _copy_score(study: Study, k: int, k0: int) -> Score:
    n, n0 = len(study.synthetic), len(study.holdout)
    low, high = wilson(k, n, study.alpha)
    bound = newcombe_upper(k, n, k0, n0, study.alpha)
    note = f"{k} of {n} synthetic rows stand in train; {k0} of {n0} held-out rows do"
    ends = (low, high, k0 / n0, bound)
    return Score("exact_copies", k / n, *ends, n, note=note, tail="count")


def _near_score(study: Study, mine: np.ndarray, real: np.ndarray) -> Score:
    radius = float(np.quantile(real, NEAR_QUANTILE))
    k, k0 = int((mine <= radius).sum()), int((real <= radius).sum())
    n, n0 = len(mine), len(real)
    low, high = wilson(k, n, study.alpha)
    bound = newcombe_upper(k, n, k0, n0, study.alpha)
    note = f"share of rows nearer to train than the nearest {NEAR_QUANTILE:.0%} of held-out rows"
    ends = (low, high, k0 / n0, bound)
    return Score("near_copies", k / n, *ends, n, note=note, tail="count")


def _closer_score(study: Study) -> Score:
    """Score the share of synthetic rows closer to train than to holdout, matched in size.

    Half of the held-out rows stand for "the other real rows", the other half for synthetic rows
    in the reference, so that neither table is searched for its own rows.
    """
    other, control = held_out_halves(study)
    n = len(other)
    train = study.train.draw(n, study.rng("closer/train"))
    rows = int(study.settings["privacy_rows"])
    synthetic = study.synthetic.draw(rows, study.rng("closer/synthetic"))
    control = control.draw(rows, study.rng("closer/control"))
    spaces = [Space.fit(train, "rank", fitted_on=study.train), reference_space(study)]
    share, reference = (_closer(spaces, queries) for queries in (synthetic, control))
    m = len(synthetic)
    low, high = wilson(round(share * m), m, study.alpha)
    error = 0.5 * math.sqrt(1 / m + 1 / len(control))
    bound = share - reference + float(norm.ppf(1 - study.alpha)) * error
    note = f"share of rows closer to {n} train rows than to as many held-out rows; .5 is chance"
    return Score("closer_to_train", share, low, high, reference, bound, m, note=note)


def _closer(spaces: list[Space], rows: Sample) -> float:
    to_train, to_other = (space.nearest(rows) for space in spaces)
    return float(((to_train < to_other) + 0.5 * (to_train == to_other)).mean())


def _proven(study: Study, flags: list[np.ndarray]) -> dict[str, Any]:
    """Return the p-value of no leak of exact copies, and whether one is proven."""
    rows = [(int(own.sum()), len(own)) for own in flags]
    samples = study.synthetic, study.holdout
    units = [copied_units(study, own, s) for own, s in zip(flags, samples, strict=True)]
    p = copies_proven(*rows[0], *rows[1], (*units[0], *units[1]))
    return {"copy_leak_p": p, "copy_leak_proven": p < PROVEN_ALPHA}


def _notes(study: Study, mine: np.ndarray, real: np.ndarray, copies: list[int]) -> dict:
    n, n0 = len(study.synthetic), len(study.holdout)
    _, critical, p = ks_leak(mine, real, study.alpha)
    return {
        "ks_p": p,
        "ks_critical": critical,
        "copies_found": copies[0],
        "least_copy_leak": least_copies_found(copies[1], n0, n, study.alpha),
        "copy_leak_shown": copies_lower(copies[0], n, copies[1], n0, study.alpha) > 0,
        "shares": [round(float(q), 3) for q in CURVE],
        "synthetic": [round(float(v), 6) for v in np.quantile(mine, CURVE)],
        "holdout": [round(float(v), 6) for v in np.quantile(real, CURVE)],
    }
