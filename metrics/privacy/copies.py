"""Copies of training rows that a test of exact copies misses, and held-out rows that were seen.

Three questions: are synthetic rows equal to training rows in all columns but one, are they closer
to training rows than any held-out row comes, and do they repeat the held-out rows, which are the
control of every privacy score and must be unseen?
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import fisher_exact, norm

from metrics.base import Score, Study
from metrics.statistics.resampling import centred, newcombe_upper, replicate, upper, wilson
from metrics.tables.samples import Sample

TIGHT = 0.1
"""Part of the least positive distance of a held-out row within which a row is a tight copy."""
PROVEN_ALPHA = 1e-3
"""Error level at which exact copies of training rows count as a proven leak."""
SEEN_ALPHA = 1e-3
"""Error level at which held-out rows count as seen."""
LEAST_SEEN = 0.002
"""Excess of synthetic rows that repeat held-out ones below which nothing is said."""


def row_hashes(sample: Sample) -> np.ndarray:
    """Return a hash of each entry, uint64[n, columns]; their sum over columns is a row's hash.

    The hash of a row without one column is that sum less the column's entry. Two of 4e6 rows
    collide with a chance below 1e-6.
    """
    numbers = np.where(np.isnan(sample.numbers), np.inf, sample.numbers + 0.0)
    columns = [*numbers.T, *sample.codes.T.astype(np.float64)]
    bits = [np.ascontiguousarray(column).view(np.uint64) for column in columns]
    return np.column_stack([_mixed(b + np.uint64(i + 1)) for i, b in enumerate(bits)])


def _mixed(x: np.ndarray) -> np.ndarray:
    """Return well-mixed bits, uint64[n] (splitmix64, Steele et al. 2014), applied twice."""
    for _ in range(2):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return x


def partial_copies(sample: Sample, reference: Sample) -> np.ndarray:
    """Return whether each row equals a reference row in all columns but one, bool[n, columns].

    Entry j leaves column j out; a table of one column has no such copies.
    """
    mine, theirs = row_hashes(sample), row_hashes(reference)
    if mine.shape[1] < 2:
        return np.zeros(mine.shape, bool)
    totals = mine.sum(axis=1), theirs.sum(axis=1)
    left_out = range(mine.shape[1])
    found = [np.isin(totals[0] - mine[:, j], totals[1] - theirs[:, j]) for j in left_out]
    return np.column_stack(found)


def partial_copy_score(study: Study) -> Score:
    """Score the share of rows that copy training rows in all columns but one; worst column.

    The reference is the same share of held-out rows. The bound is the largest over the columns,
    each at level alpha over their number, from a bootstrap of blocks and from Newcombe's interval.
    """
    samples = study.synthetic, study.holdout
    flags = [partial_copies(sample, study.train) for sample in samples]
    (shares, draws), (real, real_draws) = (
        _shares(study, own, sample, word)
        for own, sample, word in zip(flags, samples, ("synthetic", "holdout"), strict=True)
    )
    n, n0, alpha = len(flags[0]), len(flags[1]), study.alpha / len(shares)
    bounds = [
        max(
            upper(shares[j] - real[j], draws[:, j], real_draws[:, j], alpha),
            newcombe_upper(round(shares[j] * n), n, round(real[j] * n0), n0, alpha),
        )
        for j in range(len(shares))
    ]
    worst = int(np.argmax(shares - real))
    low, high = centred(float(shares[worst]), draws[:, worst], study.alpha)
    column = [*study.train.schema.numbers, *study.train.schema.categories][worst]
    note = f"share of rows equal to a training row in all columns but one; worst without {column!r}"
    ends = (max(low, 0.0), min(high, 1.0), float(real[worst]), max(bounds))
    return Score("partial_copies", float(shares[worst]), *ends, n, note=note)


def _shares(
    study: Study, flags: np.ndarray, sample: Sample, word: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of flagged rows by column, float64[k], and its replicates."""
    rows, times = flags.astype(np.float64), int(study.settings["bootstrap"])

    def statistic(weights: np.ndarray) -> np.ndarray:
        return weights @ rows / weights.sum()

    rng = study.rng(f"partial_copies/{word}")
    return replicate(statistic, len(rows), times, rng, study.blocks(sample))


def tight_copy_score(study: Study, mine: np.ndarray, real: np.ndarray) -> Score:
    """Score the share of rows nearer to train than any held-out row by far, but not equal.

    `mine` and `real` are distances to train of synthetic and held-out rows. The radius is a tenth
    of the least positive distance of a held-out row, so that the reference is 0.
    """
    apart = real[real > 0]
    radius = TIGHT * float(apart.min()) if len(apart) else 0.0
    k, n, n0 = int(((mine > 0) & (mine < radius)).sum()), len(mine), len(real)
    low, high = wilson(k, n, study.alpha)
    bound = newcombe_upper(k, n, 0, n0, study.alpha)
    note = f"{k} of {n} rows lie within {radius:.2g} of a training row, as no held-out row does"
    return Score("tight_copies", k / n, low, high, 0.0, bound, n, note=note, tail="count")


def copies_proven(k: int, n: int, k0: int, n0: int, units: tuple[int, int, int, int]) -> float:
    """Return the p-value of "copies of training rows are as common as among held-out rows".

    Fisher's exact test of k of n synthetic against k0 of n0 held-out rows. Where held-out rows have
    copies too, these come in clusters, and the test of `units` (blocks of rows, counted alike) must
    agree: the larger p-value is returned.
    """
    rows = _fisher(k, n, k0, n0)
    return max(rows, _fisher(*units)) if k0 else rows


def _fisher(k: int, n: int, k0: int, n0: int) -> float:
    return float(fisher_exact([[k, n - k], [k0, n0 - k0]], alternative="greater").pvalue)


def copied_units(study: Study, flags: np.ndarray, sample: Sample) -> tuple[int, int]:
    """Return how many blocks of rows hold a flagged row, and how many blocks there are."""
    blocks = study.blocks(sample)
    if blocks is None:
        return int(flags.sum()), len(flags)
    return len(np.unique(blocks[flags])), int(blocks.max()) + 1


def holdout_seen(study: Study) -> tuple[bool, str]:
    """Return whether synthetic rows repeat held-out rows more often than training rows do, and why.

    Equal rows occur by chance in any table of repeated jobs; training rows show how often. Blocks
    of rows count as units in the error.
    """
    held = row_hashes(study.holdout).sum(axis=1)
    shares, spreads, counts = [], [], []
    for sample, word in ((study.synthetic, "synthetic"), (study.train, "train")):
        flags = np.isin(row_hashes(sample).sum(axis=1), held)[:, None]
        (share,), draws = _shares(study, flags, sample, f"holdout/{word}")
        shares.append(float(share))
        spreads.append(float(np.std(draws, ddof=1)))
        counts.append(f"{int(flags.sum())} of {len(flags)} {word} rows")
    excess, error = shares[0] - shares[1], float(norm.isf(SEEN_ALPHA)) * math.hypot(*spreads)
    seen = excess > LEAST_SEEN and excess > error
    word = "the held-out rows were seen and are no control" if seen else "no more than chance"
    return seen, f"{counts[0]} and {counts[1]} stand among the held-out rows: {word}"
