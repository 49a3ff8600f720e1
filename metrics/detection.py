"""The classifier two-sample test: can a learner tell synthetic rows from real ones?

C2ST (Lopez-Paz and Oquab, ICLR 2017): a histogram gradient boosting is trained to separate
synthetic from held-out real rows; its cross-validated area under the ROC curve is .5 when it
cannot. Sees what single columns and pairs do not; never says where the difference lies.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import norm

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.resampling import auc
from metrics.tables import Sample, read

MAX_LEVELS = 250
"""Levels that the booster tells apart; rarer ones share a code (its own limit is 255)."""
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
    a: Sample, b: Sample, rng: np.random.Generator, *, iterations: int = 100
) -> tuple[float, float]:
    """Return AUC and standard error of telling sample `a` from sample `b`, cross-fitted twice."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    if min(len(a), len(b)) < LEAST_ROWS:
        came = f"{len(a)} and {len(b)} rows"
        raise MetricError(f"at least {LEAST_ROWS} rows on each side", came, "pass more rows")
    x = _features(a, b)
    y = np.repeat([1, 0], [len(a), len(b)])
    half = np.concatenate([rng.permutation(len(s)) % 2 for s in (a, b)])
    scores = np.empty(len(y))
    d = a.numbers.shape[1]
    for fold in (0, 1):
        model = HistGradientBoostingClassifier(
            max_iter=iterations,
            learning_rate=0.1,
            early_stopping=False,
            categorical_features=list(range(d, x.shape[1])),
            random_state=int(rng.integers(2**31)),
        )
        # One thread: several that wait for each other on a busy machine take many times longer.
        with threadpool_limits(limits=1):
            model.fit(x[half != fold], y[half != fold])
            scores[half == fold] = model.decision_function(x[half == fold])
    areas = [auc(scores[(half == f) & (y == 0)], scores[(half == f) & (y == 1)]) for f in (0, 1)]
    return float(np.mean([v for v, _ in areas])), math.hypot(*(s for _, s in areas)) / 2


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
    """Score C2ST of synthetic against holdout; the floor is train against holdout."""
    n = min(study.matched("detection_rows"), len(study.train))
    synthetic, holdout = study.draws("detection_rows")
    synthetic, holdout = (
        synthetic.draw(n, study.rng("c2st/s")),
        holdout.draw(n, study.rng("c2st/h")),
    )
    train = study.train.draw(n, study.rng("c2st/train"))
    value, error = separability(synthetic, holdout, study.rng("c2st/value"))
    floor, floor_error = separability(train, holdout, study.rng("c2st/floor"))
    z, z_one = norm.ppf(1 - study.alpha / 2), norm.ppf(1 - study.alpha)
    bound = value - floor + z_one * np.hypot(error, floor_error)
    low, high = max(0.0, value - z * error), min(1.0, value + z * error)
    note = "area under the ROC curve of gradient boosting, synthetic against held-out real rows"
    return [Score("c2st", "fidelity", value, low, high, floor, float(bound), n, note=note)]
