"""k-anonymity: rows that share their quasi-identifiers, and rare combinations that come back.

A row is k-anonymous where at least k rows have its combination of quasi-identifiers (Sweeney 2002);
here these are the categories of the table, together. Synthetic rows belong to no one, so that small
classes alone are no leak: what is scored is how often synthetic rows show a combination that few
training rows have, against how often held-out rows do.
"""

from __future__ import annotations

import numpy as np

from metrics.base import Score, Study
from metrics.errors import NotApplicable
from metrics.privacy.attack_rates import rate_score
from metrics.privacy.nearest import Keys
from metrics.statistics.resampling import newcombe_upper, wilson
from metrics.tables.samples import Sample

K = 5
"""A class of fewer rows is small, a combination of fewer training rows rare."""


def class_sizes(sample: Sample, reference: Sample) -> np.ndarray:
    """Return how many reference rows have each row's combination of categories, int64[n]."""
    everywhere = tuple(range(sample.codes.shape[1]))
    keys = Keys(reference.codes.astype(np.int64), everywhere)
    found, counts = np.unique(keys.reference, return_counts=True)
    mine = keys.of(sample.codes.astype(np.int64))
    at = np.minimum(np.searchsorted(found, mine), len(found) - 1)
    return np.where(found[at] == mine, counts[at], 0)


def measure(study: Study) -> list[Score]:
    """Score the share of rows in small classes, and on combinations that few training rows have."""
    if not study.train.schema.categories:
        raise NotApplicable("a category column", "none", "nothing: k-anonymity is left out")
    n = min(len(study.synthetic), len(study.holdout))
    synthetic, holdout = (
        getattr(study, word).draw(n, study.rng(f"k_anonymity/{word}"))
        for word in ("synthetic", "holdout")
    )
    rare = [class_sizes(sample, study.train) for sample in (study.synthetic, study.holdout)]
    hits, control = ((int(((r > 0) & (r < K)).sum()), len(r)) for r in rare)
    note = f"rows with a combination of categories that fewer than {K} training rows have"
    return [
        _classes(study, *(class_sizes(sample, sample) for sample in (synthetic, holdout))),
        rate_score(study, "rare_combinations", hits, control, note),
    ]


def _classes(study: Study, mine: np.ndarray, real: np.ndarray) -> Score:
    k, k0, n = int((mine < K).sum()), int((real < K).sum()), len(mine)
    low, high = wilson(k, n, study.alpha)
    bound = newcombe_upper(k, n, k0, n, study.alpha)
    note = (
        f"share of synthetic rows in classes of fewer than {K} rows with the same categories; the "
        f"smallest class has {mine.min()} rows, of held-out rows {real.min()}"
    )
    return Score("k_anonymity", k / n, low, high, k0 / n, bound, n, note=note)
