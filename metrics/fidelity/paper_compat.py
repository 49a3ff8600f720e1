"""Row-aligned WD and JSD, the best explanation of the paper's Table I; never graded.

By the plain definitions (`metrics.fidelity.columns`) a near-perfect generator scores below .01.
The paper reports .79 to 1.0 for all of its generators. Rows compared in pairs, as if the i-th
synthetic
row were a copy of the i-th real one, give numbers of that size for a perfect generator. It is the
best explanation found and is not proven: these scores stand here so that a reader can see why the
two columns say little, each beside its reference.

WD   mean |x_i - y_i| of a number over rows paired at random, in standard deviations of train
     (the Wasserstein-1 distance of two single points).
JSD  share of pairs that differ in a category (the Jensen-Shannon divergence in bits of two single
     points is 1 where they differ and 0 where they agree).

NOTE[DIFF] Pairs are drawn at random here, since tables of a study have no common row order.
"""

from __future__ import annotations

import numpy as np

from metrics.base import Score, Study
from metrics.statistics.means import mean_score
from metrics.tables.samples import Sample

NOTE = (
    "paper compatibility, rows paired as if aligned: {}; a perfect generator scores the reference"
)


def aligned_wd(a: Sample, b: Sample, train: Sample) -> np.ndarray:
    """Return |x - y| of the paired rows, float64[n, numbers], in standard deviations of `train`.

    A missing number against a present one is one standard deviation off, two missing ones none.
    """
    spread = np.nanstd(train.numbers, axis=0)
    gap = np.abs(a.numbers - b.numbers) / np.where(spread > 0, spread, 1.0)
    lone = np.isnan(a.numbers) != np.isnan(b.numbers)
    return np.where(lone, 1.0, np.nan_to_num(gap, nan=0.0))


def aligned_jsd(a: Sample, b: Sample) -> np.ndarray:
    """Return where the paired rows differ, float64[n, categories]."""
    return (a.codes != b.codes).astype(np.float64)


def measure(study: Study) -> list[Score]:
    """Score row-aligned WD and JSD of synthetic against train; the reference is holdout's."""
    n = min(study.matched("fidelity_rows"), len(study.train))
    synthetic, holdout, train = (
        _shuffled(getattr(study, word), n, study.rng(f"paper_compat/{word}"))
        for word in ("synthetic", "holdout", "train")
    )
    scores = []
    if study.train.schema.numbers:
        pairs = [aligned_wd(s, train, study.train) for s in (synthetic, holdout)]
        scores.append(_score(study, "wd", pairs, "mean |x - y| in deviations"))
    if study.train.schema.categories:
        pairs = [aligned_jsd(s, train) for s in (synthetic, holdout)]
        scores.append(_score(study, "jsd", pairs, "share of pairs that differ"))
    return scores


def _shuffled(sample: Sample, n: int, rng: np.random.Generator) -> Sample:
    return sample.take(rng.permutation(len(sample))[:n])


def _score(study: Study, word: str, pairs: list[np.ndarray], what: str) -> Score:
    """Score a mean over columns and pairs; pairs are the units of its error."""
    rows = (pairs[0].mean(axis=1), pairs[1].mean(axis=1))
    return mean_score(study, f"paper_compat_{word}", rows, NOTE.format(what))
