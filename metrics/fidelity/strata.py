"""Tails of numbers, rare levels, and pairs of columns in bins, where means are blind.

A generator may cut the largest hundredth of the bytes or drop the rarest sites and hardly move
any mean distance. These scores look there. They know single columns and pairs, and inform.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from metrics.base import Score, Study
from metrics.statistics.contrast import contrast
from metrics.statistics.resampling import Weighted
from metrics.tables.samples import Sample

TAIL = 0.01
"""Share of train's rows in a tail."""
RARE = 0.01
"""Share of train's rows below which a level is rare."""
BINS = 10
"""Bins of a number, at quantiles of train, and levels of a category, the rest sharing one more."""

NOTES = {
    "tail_low": f"largest relative error of the share below train's {TAIL:.0%} quantile",
    "tail_high": f"largest relative error of the share above train's {1 - TAIL:.0%} quantile",
    "rare_levels": f"largest relative error of the share of levels rarer than {RARE:.0%}",
    "pair_tv": f"mean total variation of pairs of columns, {BINS} bins each",
}


def measure(study: Study) -> list[Score]:
    """Score tails, rare levels and pairs, each against train."""
    train = study.train
    pairs = _Pairs(train)

    def statistic(sample: Sample) -> Weighted:
        inside = [_low(sample, train), _high(sample, train), _rare(sample, train)]
        cells = pairs.cells(sample)

        def distances(weights: np.ndarray) -> np.ndarray:
            strata = [_worst(flags, shares, weights) for flags, shares in inside]
            return np.array([*strata, pairs.distance(cells, weights)])

        return distances

    return contrast(study, "strata", statistic, NOTES)


Flags = tuple[np.ndarray, np.ndarray]
"""Which rows are in each stratum, bool[k, n], and train's share of it, float64[k]."""


def _low(sample: Sample, train: Sample) -> Flags:
    limits = np.nanquantile(train.numbers, TAIL, axis=0)
    return (sample.numbers <= limits).T, (train.numbers <= limits).mean(axis=0)


def _high(sample: Sample, train: Sample) -> Flags:
    limits = np.nanquantile(train.numbers, 1 - TAIL, axis=0)
    return (sample.numbers >= limits).T, (train.numbers >= limits).mean(axis=0)


def _rare(sample: Sample, train: Sample) -> Flags:
    flags, shares = [], []
    for name, codes in zip(train.schema.categories, sample.codes.T, strict=True):
        counts = np.bincount(train.category(name), minlength=len(train.schema.levels[name]))
        rare = counts < RARE * len(train)
        flags.append(rare[codes])
        shares.append(counts[rare].sum() / len(train))
    return np.array(flags).reshape(len(flags), len(sample)), np.array(shares)


def _worst(flags: np.ndarray, shares: np.ndarray, weights: np.ndarray) -> float:
    """Return the largest |share / train's share - 1| over strata that train has."""
    there = shares > 0
    if not there.any():
        return 0.0
    mine = flags[there] @ weights / weights.sum()
    return float(np.abs(mine / shares[there] - 1).max())


class _Pairs:
    """Columns of train in bins, and the shares of every pair's cells."""

    def __init__(self, train: Sample) -> None:
        quantiles = np.linspace(0, 1, BINS + 1)[1:-1]
        self.edges = [np.unique(np.nanquantile(x, quantiles)) for x in train.numbers.T]
        self.levels = []
        for name in train.schema.categories:
            counts = np.bincount(train.category(name), minlength=len(train.schema.levels[name]))
            place = np.full(len(counts), BINS)
            place[np.argsort(-counts, kind="stable")[:BINS]] = np.arange(min(BINS, len(counts)))
            self.levels.append(place)
        columns = len(self.edges) + len(self.levels)
        self.pairs = list(combinations(range(columns), 2))
        weights = np.ones(len(train))
        self.real = [self._shares(cell, weights) for cell in self.cells(train)]

    def cells(self, sample: Sample) -> list[np.ndarray]:
        """Return each row's cell in the table of every pair of columns."""
        binned = [
            np.where(np.isnan(x), BINS, np.searchsorted(edges, x, side="right"))
            for x, edges in zip(sample.numbers.T, self.edges, strict=True)
        ]
        binned += [place[codes] for place, codes in zip(self.levels, sample.codes.T, strict=True)]
        return [binned[i] * (BINS + 1) + binned[j] for i, j in self.pairs]

    def distance(self, cells: list[np.ndarray], weights: np.ndarray) -> float:
        """Return the mean total variation from train over all pairs."""
        if not cells:
            return 0.0
        mine = (self._shares(cell, weights) for cell in cells)
        return float(
            np.mean([np.abs(a - b).sum() / 2 for a, b in zip(mine, self.real, strict=True)])
        )

    @staticmethod
    def _shares(cell: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.bincount(cell, weights, (BINS + 1) ** 2) / weights.sum()
