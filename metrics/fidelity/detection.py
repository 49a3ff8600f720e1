"""The classifier two-sample test: can a classifier tell synthetic rows from real ones?

C2ST (Lopez-Paz and Oquab, ICLR 2017): a classifier is trained to separate synthetic from held-out
real rows; its cross-fitted area under the ROC curve is .5 when it cannot. Histogram gradient
boosting sees what single columns and pairs do not, and is the one that is graded; logistic
regression on ranks, their squares and levels sees shifts of single columns alone, and informs: far
below the boosting, it says that the columns are right one by one and wrong together. Neither says
where the difference lies.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.statistics.resampling import auc
from metrics.tables import scales
from metrics.tables.samples import Sample, read

MAX_LEVELS = 250
"""Levels that the booster distinguishes; rarer ones share a code (its own limit is 255)."""
LOGISTIC_LEVELS = 30
"""Commonest levels of a category that the logistic regression distinguishes."""
LEAST_ROWS = 50
"""Rows on each side below which the test says nothing."""


def c2st(synthetic: pd.DataFrame, real: pd.DataFrame, *, seed: int = 0) -> float:
    """Return the area under the ROC curve of telling synthetic from real rows (.5: cannot).

    Both tables are cut to the same size. `real` should be rows that the generator did not see.
    """
    tables = read({"real": real, "synthetic": synthetic})
    n = min(len(real), len(synthetic))
    rng = np.random.default_rng(seed)
    return separability(tables["synthetic"].draw(n, rng), tables["real"].draw(n, rng), rng)[0]


def separability(
    a: Sample, b: Sample, rng: np.random.Generator, *, learner: str = "boosting"
) -> tuple[float, float]:
    """Return AUC and standard error of telling sample `a` from sample `b`, cross-fitted twice.

    `learner` is "boosting" or "logistic".
    """
    from threadpoolctl import threadpool_limits

    if min(len(a), len(b)) < LEAST_ROWS:
        came = f"{len(a)} and {len(b)} rows"
        raise MetricError(f"at least {LEAST_ROWS} rows on each side", came, "pass more rows")
    x, make = LEARNERS[learner](a, b)
    y = np.repeat([1, 0], [len(a), len(b)])
    half = np.concatenate([rng.permutation(len(s)) % 2 for s in (a, b)])
    scores = np.empty(len(y))
    # One thread: several that wait for each other on a busy machine take many times longer.
    with threadpool_limits(limits=1):
        for fold in (0, 1):
            model = make(int(rng.integers(2**31)))
            model.fit(x[half != fold], y[half != fold])
            scores[half == fold] = model.decision_function(x[half == fold])
    areas = [auc(scores[(half == f) & (y == 0)], scores[(half == f) & (y == 1)]) for f in (0, 1)]
    return float(np.mean([v for v, _ in areas])), math.hypot(*(s for _, s in areas)) / 2


def _boosting(a: Sample, b: Sample) -> tuple[Any, Callable[[int], Any]]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    x = _features(a, b)
    settings = {
        "max_iter": 100,
        "learning_rate": 0.1,
        "early_stopping": False,
        "categorical_features": list(range(a.numbers.shape[1], x.shape[1])),
    }
    return x, lambda seed: HistGradientBoostingClassifier(**settings, random_state=seed)


def _logistic(a: Sample, b: Sample) -> tuple[Any, Callable[[int], Any]]:
    """Return ranks, their squares, missing flags and flags of the commonest levels."""
    from sklearn.linear_model import LogisticRegression

    numbers = np.concatenate([a.numbers, b.numbers])
    ranks = [scales.fit("rank", x)(np.nan_to_num(x)) - 0.5 for x in numbers.T]
    missing = np.isnan(numbers)
    flat = [np.where(gone, 0.0, r) for r, gone in zip(ranks, missing.T, strict=True)]
    codes = _features(a, b)[:, numbers.shape[1] :]
    flags = [c[:, None] == np.arange(min(LOGISTIC_LEVELS, c.max() + 1)) for c in codes.T]
    columns = [*flat, *(r * r for r in flat), missing, *flags]
    x = np.column_stack(columns).astype(np.float64)
    return x, lambda seed: LogisticRegression(solver="newton-cholesky", C=1.0, max_iter=100)


LEARNERS = {"boosting": _boosting, "logistic": _logistic}
"""The classifiers by name: each returns the features and a maker of models from a seed."""


def _features(a: Sample, b: Sample) -> np.ndarray:
    """Return float64[rows, d + c]; categories coded by frequency, the rarest sharing one code."""
    numbers = np.concatenate([a.numbers, b.numbers])
    codes = np.concatenate([a.codes, b.codes])
    columns = []
    for j in range(codes.shape[1]):
        counts = np.bincount(codes[:, j])
        place = np.empty(len(counts))
        place[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        columns.append(np.minimum(place[codes[:, j]], MAX_LEVELS))
    return np.column_stack([numbers, *columns])


def measure(study: Study) -> list[Score]:
    """Score C2ST of synthetic against holdout; the reference is train against holdout."""
    n = min(study.matched("detection_rows"), len(study.train))
    synthetic, holdout = study.draws("detection_rows")
    synthetic, holdout = (
        synthetic.draw(n, study.rng("c2st/s")),
        holdout.draw(n, study.rng("c2st/h")),
    )
    train = study.train.draw(n, study.rng("c2st/train"))
    return [_score(study, id, (synthetic, train, holdout)) for id in SCORES]


SCORES = {
    "c2st": ("boosting", "gradient boosting"),
    "c2st_logistic": ("logistic", "logistic regression (single columns; informs)"),
}
"""The scores: {id: (learner, its name in words)}."""


def _score(study: Study, id: str, rows: tuple[Sample, Sample, Sample]) -> Score:
    synthetic, train, holdout = rows
    learner, words = SCORES[id]
    value, error = separability(synthetic, holdout, study.rng(f"{id}/value"), learner=learner)
    reference, other = separability(train, holdout, study.rng(f"{id}/floor"), learner=learner)
    z, z_one = norm.ppf(1 - study.alpha / 2), norm.ppf(1 - study.alpha)
    bound = float(value - reference + z_one * np.hypot(error, other))
    ends = (max(0.0, value - z * error), min(1.0, value + z * error))
    note = f"area under the ROC curve of {words}, synthetic against held-out real rows"
    return Score(id, value, *ends, reference, bound, len(synthetic), note=note)
