"""Attribute inference: do synthetic rows give away one column to someone who knows the others?

After Giomi et al. (PoPETs 2023, arXiv 2211.10459). The attacker knows every column of a real row
but one, looks up the nearest synthetic row by those, and guesses its value of the secret. A guess
is right where the category is equal, the number within 5 %, the time within an hour. The control
attacks held-out rows: what the columns say about each other anyway is no leak.

Every column is the secret in turn; `inference` is the mean over them, with the targets as units.
NOTE[DIFF] Gower's distance takes numbers on the rank scale; of equally near rows the first of a
random order answers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit

from metrics.base import Score, Study
from metrics.errors import NotApplicable
from metrics.privacy.attack_rates import power, rate_score
from metrics.statistics.means import mean_score
from metrics.tables.gower import cloud_of
from metrics.tables.samples import Sample

TOLERANCE = 0.05
"""Largest relative error of a right guess of a number."""
TIME_TOLERANCE_S = 3600.0
"""Largest error of a right guess of a time, seconds."""
BLOCK = 4096
"""Rows whose distances are held at once."""


def measure(study: Study) -> list[Score]:
    """Score the share of right guesses of each column, against held-out rows, and their mean."""
    order = study.train.schema.order
    if len(order) < 2:
        raise NotApplicable("at least two columns", str(len(order)), "nothing: left out")
    rng = study.rng("inference")
    rows = study.synthetic.draw(int(study.settings["linking_rows"]), rng)
    rows = rows.take(rng.permutation(len(rows)))
    right = []
    for word in ("train", "holdout"):
        wanted = int(study.settings["linking_attacks"])
        targets = getattr(study, word).draw(wanted, study.rng(f"inference/{word}"))
        right.append(guessed(targets, rows, study.train))
    names = [*study.train.schema.numbers, *study.train.schema.categories]
    return [_mean(study, *right), *(_column(study, n, i, *right) for i, n in enumerate(names))]


def guessed(targets: Sample, rows: Sample, train: Sample) -> np.ndarray:
    """Return which secrets are guessed from the nearest row by the others, bool[targets, d + c].

    Columns are the numbers, then the categories.
    """
    schema = targets.schema
    names = [*schema.numbers, *schema.categories]
    at = closest_without(*cloud_of(targets, train, names), *cloud_of(rows, train, names))
    found = [
        _close(targets.number(name), rows.number(name)[at[:, i]], name in schema.times)
        for i, name in enumerate(schema.numbers)
    ]
    d, extra = len(schema.numbers), at.shape[1] - len(names)  # missing flags stand before codes
    found += [
        targets.category(name) == rows.category(name)[at[:, d + extra + j]]
        for j, name in enumerate(schema.categories)
    ]
    return np.column_stack(found)


def _close(truth: np.ndarray, guess: np.ndarray, is_time: bool) -> np.ndarray:
    reach = TIME_TOLERANCE_S if is_time else TOLERANCE * np.abs(truth)
    both_missing = np.isnan(truth) & np.isnan(guess)
    return both_missing | (np.abs(truth - guess) <= reach)


@njit(cache=True)
def closest_without(
    x: np.ndarray, c: np.ndarray, numbers: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Return, for each query and each column, the row nearest by all other columns, int64[q, d+e].

    Columns come first: x float32[d, q], c int32[e, q], numbers float32[d, n], codes int32[e, n].
    """
    d, e = len(numbers), len(codes)
    n = numbers.shape[1] if d else codes.shape[1]
    queries = x.shape[1] if d else c.shape[1]
    out = np.zeros((queries, d + e), dtype=np.int64)
    apart = np.empty((d + e, BLOCK), dtype=np.float32)
    total = np.empty(BLOCK, dtype=np.float32)
    for q in range(queries):
        best = np.full(d + e, np.inf, dtype=np.float32)
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            total[:size] = 0.0
            for i in range(d):
                for r in range(size):
                    apart[i, r] = abs(x[i, q] - numbers[i, start + r])
                    total[r] += apart[i, r]
            for j in range(e):
                for r in range(size):
                    apart[d + j, r] = np.float32(c[j, q] != codes[j, start + r])
                    total[r] += apart[d + j, r]
            for s in range(d + e):
                for r in range(size):
                    rest = total[r] - apart[s, r]
                    if rest < best[s]:
                        best[s] = rest
                        out[q, s] = start + r
    return out


def _column(study: Study, name: str, i: int, train: np.ndarray, holdout: np.ndarray) -> Score:
    """Score the share of right guesses of one column."""
    hits, control = ((int(right[:, i].sum()), len(right)) for right in (train, holdout))
    note = f"right guesses of {name} from the nearest synthetic row by the other columns"
    return rate_score(study, f"inference.{name}", hits, control, note)


def _mean(study: Study, train: np.ndarray, holdout: np.ndarray) -> Score:
    """Score the mean share of right guesses over the columns; the targets are the units."""
    rows = (train.mean(axis=1), holdout.mean(axis=1))
    note = "mean share of right guesses of a column from the others"
    score = mean_score(study, "inference", rows, note)
    least = score.bound - score.excess
    return replace(score, note=f"{note}; {power(study, score.id, least, score.excess > least)}")
