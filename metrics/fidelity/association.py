"""Association matrix of a table's columns, and the distance of two such matrices (diff-CORR).

Entries (paper, section IV-B): Pearson correlation of two numbers, correlation ratio of a number
and a category, Theil's U of two categories, U(row | column), which is not symmetric. Numbers are
put on the reference's rank scale first.
NOTE[DIFF] The paper does not name the scale of its numbers. On raw bytes a single large job moves
a Pearson coefficient; ranks do not, and are the usual choice for heavy tails.
NOTE[DIFF] "Mean L2 distance between the correlation matrices" has more than one reading. `entry`
is the mean over entries of |difference| (the L2 distance of two numbers); `row` the mean over rows
of the Euclidean distance of two rows, which can exceed 1 and comes nearer to the paper's range.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from metrics.base import Score, Study
from metrics.errors import MetricError
from metrics.statistics.contrast import contrast
from metrics.statistics.resampling import Weighted
from metrics.tables import scales
from metrics.tables.samples import Sample, read

DENSE_CELLS = 4_000_000
"""Largest table of pair counts that is kept dense."""

NORMS = {"entry": "entries", "row": "rows"}
"""The readings of "mean L2 distance", and what each is taken over."""


def diff_corr(synthetic: pd.DataFrame, reference: pd.DataFrame, *, norm: str = "entry") -> float:
    """Return the mean L2 distance between the association matrices of two tables (diff-CORR).

    `norm` is "entry" or "row", see the module's note. Both biased upwards by about 1/sqrt(rows):
    compare tables of equal size.
    """
    tables = read({"reference": reference, "synthetic": synthetic})
    real = ranked(tables["reference"], tables["reference"])
    mine = ranked(tables["synthetic"], tables["reference"])
    return matrix_distance(matrix(mine), matrix(real), norm)


def association_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Return the association matrix of a table, columns in table order, entries in [-1, 1]."""
    sample = read({"table": table})["table"]
    names = names_of(sample)
    frame = pd.DataFrame(matrix(ranked(sample, sample)), index=names, columns=names)
    return frame.loc[list(sample.schema.order), list(sample.schema.order)]


def matrix_distance(a: np.ndarray, b: np.ndarray, norm: str) -> float:
    """Return the mean L2 distance of two matrices, by entries or by rows."""
    if norm == "entry":
        return float(np.abs(a - b).mean())
    if norm == "row":
        return float(np.sqrt(((a - b) ** 2).sum(axis=1)).mean())
    raise MetricError('norm "entry" or "row"', repr(norm), "choose one of them")


def names_of(sample: Sample) -> list[str]:
    """Return the columns in the order of `matrix`: numbers, then categories."""
    return [*sample.schema.numbers, *sample.schema.categories]


def ranked(sample: Sample, reference: Sample) -> Sample:
    """Return the sample with its numbers on the reference's rank scale, missing ones at .5."""
    numbers = np.empty_like(sample.numbers)
    for i in range(numbers.shape[1]):
        numbers[:, i] = scales.fit("rank", reference.numbers[:, i])(sample.numbers[:, i])
    return Sample(sample.schema, np.nan_to_num(numbers, nan=0.5), sample.codes)


def matrix(sample: Sample, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the association matrix float64[d + c, d + c] of a ranked sample.

    Rows and columns are the numbers, then the categories. A constant column has association 0
    with every other column and 1 with itself.
    """
    weights = np.ones(len(sample)) if weights is None else weights
    d, c = sample.numbers.shape[1], sample.codes.shape[1]
    out = np.eye(d + c)
    out[:d, :d] = _pearson(sample.numbers, weights)
    sizes = [len(sample.schema.levels[name]) for name in sample.schema.categories]
    for j in range(c):
        ratio = _correlation_ratios(sample.numbers, sample.codes[:, j], sizes[j], weights)
        out[:d, d + j] = out[d + j, :d] = ratio
        for i in range(j):
            pair = _theils_u(sample.codes[:, i], sample.codes[:, j], sizes[i], sizes[j], weights)
            out[d + i, d + j], out[d + j, d + i] = pair
    return out


def _pearson(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    share = weights / weights.sum()
    centred_x = x - share @ x
    cov = (centred_x * share[:, None]).T @ centred_x
    sd = np.sqrt(np.diag(cov))
    scale = np.outer(sd, sd)
    out = np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 1e-15)
    np.fill_diagonal(out, 1.0)
    return np.clip(out, -1.0, 1.0)


def _correlation_ratios(
    x: np.ndarray, codes: np.ndarray, levels: int, weights: np.ndarray
) -> np.ndarray:
    """Return eta of each number given a category: sqrt(between-level / total sum of squares)."""
    mass = np.bincount(codes, weights, levels)
    total = weights.sum()
    out = np.zeros(x.shape[1])
    for i in range(x.shape[1]):
        centred_x = x[:, i] - weights @ x[:, i] / total
        sums = np.bincount(codes, weights * centred_x, levels)
        between = float((sums[mass > 0] ** 2 / mass[mass > 0]).sum())
        around = float(weights @ centred_x**2)
        out[i] = np.sqrt(min(1.0, between / around)) if around > 1e-15 * total else 0.0
    return out


def _theils_u(
    x: np.ndarray, y: np.ndarray, levels_x: int, levels_y: int, weights: np.ndarray
) -> tuple[float, float]:
    """Return U(x | y) and U(y | x), where U(x | y) = (H(x) - H(x | y)) / H(x)."""
    key = x.astype(np.int64) * levels_y + y
    if levels_x * levels_y > DENSE_CELLS:
        key = np.unique(key, return_inverse=True)[1]
    h_xy = _entropy(np.bincount(key, weights))
    h_x = _entropy(np.bincount(x, weights, levels_x))
    h_y = _entropy(np.bincount(y, weights, levels_y))
    shared = max(0.0, h_x + h_y - h_xy)
    return (
        min(1.0, shared / h_x) if h_x > 1e-12 else 0.0,
        min(1.0, shared / h_y) if h_y > 1e-12 else 0.0,
    )


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p @ np.log(p)))


def measure(study: Study) -> list[Score]:
    """Score diff-CORR by entries and by rows, against train rows of the same number."""
    train = study.train.draw(study.matched("fidelity_rows"), study.rng("diff_corr/train"))
    real = matrix(ranked(train, study.train))

    def statistic(sample: Sample) -> Weighted:
        own = ranked(sample, study.train)

        def distances(weights: np.ndarray) -> np.ndarray:
            mine = matrix(own, weights)
            return np.array([matrix_distance(mine, real, norm) for norm in NORMS])

        return distances

    note = "mean L2 distance of the association matrices, by {}"
    ids = dict(zip(("diff_corr", "diff_corr_rows"), NORMS.values(), strict=True))
    notes = {id: note.format(what) for id, what in ids.items()}
    return contrast(study, "diff_corr", statistic, notes)
