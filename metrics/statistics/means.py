"""A mean over synthetic rows beside the same mean over real ones, as a score."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.errors import MetricError


def mean_score(
    study: Study,
    id: str,
    rows: tuple[np.ndarray, np.ndarray],
    note: str,
    *,
    better: str = "lower",
) -> Score:
    """Score the mean of the first array, float64[n]; that of the second is the reference.

    Entries are the units of both errors, which are normal and independent.
    """
    if min(map(len, rows)) < 2:
        came = " and ".join(str(len(x)) for x in rows)
        raise MetricError(f"at least two rows on each side of {id}", came, "pass more rows")
    value, reference = (float(x.mean()) for x in rows)
    error, other = (float(x.std(ddof=1)) / math.sqrt(len(x)) for x in rows)
    reach = float(norm.ppf(1 - study.alpha / 2)) * error
    excess = value - reference if better == "lower" else reference - value
    bound = excess + float(norm.ppf(1 - study.alpha)) * math.hypot(error, other)
    ends = (value - reach, value + reach, reference, bound)
    return Score(id, value, *ends, len(rows[0]), better=better, note=note)
