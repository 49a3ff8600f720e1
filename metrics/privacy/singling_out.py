"""Singling out: do synthetic rows yield predicates that isolate one real row?

After Giomi et al. (PoPETs 2023, arXiv 2211.10459). The attacker reads the synthetic table and
writes predicates that hold for exactly one of its rows; an attack succeeds where the predicate
holds for exactly one training row. The control counts those that hold for exactly one row of a
held-out table of the same size: such predicates isolate rows by being narrow, not by a leak.

univariate     one column: a value that one synthetic row has, or nothing beyond an extreme;
multivariate   `COLUMNS` columns of one synthetic row: its levels, and each number on its side of
               the median (at least its value, or at most).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from metrics.base import Score, Study
from metrics.errors import NotApplicable
from metrics.privacy.attack_rates import rate_score
from metrics.tables.samples import Sample

COLUMNS = 3
"""Columns of a multivariate predicate."""
TRIES = 40
"""Predicates looked at for each one wanted."""
LEAST_GUESSES = 20
"""Predicates below which an attack is not tried."""


@dataclass(frozen=True)
class Predicates:
    """Conjunctions of intervals: a row fits where low <= value <= high in each named column."""

    columns: np.ndarray
    """int64[p, k], positions of columns; -1 for none."""
    low: np.ndarray
    """float64[p, k]; NaN where the value must be missing."""
    high: np.ndarray
    """float64[p, k]."""

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, rows: np.ndarray) -> Predicates:
        """Return the predicates at these positions."""
        return Predicates(self.columns[rows], self.low[rows], self.high[rows])

    def isolate(self, columns: np.ndarray) -> np.ndarray:
        """Return which predicates hold for exactly one row of columns float64[d, n], bool[p]."""
        return _counts(self.columns, self.low, self.high, columns) == 1


@njit(cache=True)
def _counts(at: np.ndarray, low: np.ndarray, high: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the number of rows that fit each predicate, counted up to 2."""
    out = np.zeros(len(at), dtype=np.int64)
    for p in range(len(at)):
        for r in range(columns.shape[1]):
            fits = True
            for i in range(at.shape[1]):
                j = at[p, i]
                if j < 0:
                    continue
                value = columns[j, r]
                gone = np.isnan(low[p, i])
                fits = np.isnan(value) if gone else low[p, i] <= value <= high[p, i]
                if not fits:
                    break
            if fits:
                out[p] += 1
                if out[p] == 2:
                    break
    return out


def columns_of(sample: Sample) -> np.ndarray:
    """Return numbers and codes as columns, float64[d + c, n], NaN where a number is missing."""
    both = [sample.numbers, sample.codes.astype(np.float64)]
    return np.ascontiguousarray(np.concatenate(both, axis=1).T)


def univariate(columns: np.ndarray, numbers: int) -> Predicates:
    """Return every predicate on one column: values that occur once, and beyond each extreme."""
    at, low, high = [], [], []
    for j, column in enumerate(columns):
        values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        once = values[counts == 1]
        at += [j] * len(once)
        low += list(once)
        high += list(once)
        if j < numbers and len(values):
            at += [j, j]
            low += [-np.inf, values[-1]]
            high += [values[0], np.inf]
    shape = (len(at), 1)
    return Predicates(*(np.reshape(x, shape) for x in (np.array(at, int), low, high)))


def multivariate(
    columns: np.ndarray, numbers: int, count: int, rng: np.random.Generator
) -> Predicates:
    """Return `count` predicates on `COLUMNS` columns of random rows."""
    d, n = columns.shape
    k = min(COLUMNS, d)
    at = np.argsort(rng.random((count, d)), axis=1)[:, :k]
    value = columns[at, rng.integers(n, size=count)[:, None]]
    middle = np.array([np.nanmedian(x) if not np.isnan(x).all() else 0.0 for x in columns])[at]
    is_number, above = at < numbers, value >= middle
    low = np.where(is_number & ~above & ~np.isnan(value), -np.inf, value)
    high = np.where(is_number & above, np.inf, value)
    return Predicates(at, low, high)


def measure(study: Study) -> list[Score]:
    """Score both attacks on train and holdout of the same size."""
    n = min(study.matched("singling_out_rows"), len(study.train))
    tables = [
        columns_of(getattr(study, word).draw(n, study.rng(f"singling_out/{word}")))
        for word in ("synthetic", "train", "holdout")
    ]
    numbers, wanted = len(study.train.schema.numbers), int(study.settings["singling_out_attacks"])
    rng = study.rng("singling_out")
    offers = {
        "univariate": univariate(tables[0], numbers),
        "multivariate": multivariate(tables[0], numbers, TRIES * wanted, rng),
    }
    scores, missing = [], []
    for kind, offer in offers.items():
        guesses = _guesses(offer, tables[0], wanted, rng)
        if len(guesses) < LEAST_GUESSES:
            missing.append(kind)
            continue
        scores.append(_score(study, kind, guesses, tables[1:]))
    if not scores:
        few = f"fewer than {LEAST_GUESSES}"
        raise NotApplicable("predicates that isolate a synthetic row", few, "nothing: left out")
    study.notes["singling_out"] = {"left_out": missing}
    return scores


def _guesses(
    offer: Predicates, synthetic: np.ndarray, wanted: int, rng: np.random.Generator
) -> Predicates:
    """Return up to `wanted` predicates that isolate a synthetic row, drawn at random."""
    offer = offer.take(rng.permutation(len(offer)))
    kept: list[int] = []
    for start in range(0, min(len(offer), TRIES * wanted), wanted):
        rows = np.arange(start, min(start + wanted, len(offer)))
        kept += list(rows[offer.take(rows).isolate(synthetic)])
        if len(kept) >= wanted:
            break
    return offer.take(np.array(kept[:wanted], dtype=np.int64))


def _score(study: Study, kind: str, guesses: Predicates, tables: list[np.ndarray]) -> Score:
    hits, control = (int(guesses.isolate(table).sum()) for table in tables)
    n = len(guesses)
    note = (
        f"{kind} predicates from synthetic rows that hold for exactly one of "
        f"{tables[0].shape[1]} training rows (held-out rows)"
    )
    return rate_score(study, f"singling_out_{kind}", (hits, n), (control, n), note)
