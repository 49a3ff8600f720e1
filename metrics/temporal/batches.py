"""Batches of rows that came together: how many, and how much alike.

A grid's jobs come in tasks: tens to hundreds of near-identical jobs within seconds. Where a group
column is named, its rows are a batch. Where there is none, a batch is a run of rows that agree in
the categories which successive real rows share, each within `GAP_S` of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.tables.samples import Sample

GAP_S = 2.0
"""Longest time between successive rows of one batch, seconds."""
SHARED = 0.9
"""Least agreement beyond chance (Cohen's kappa) of successive rows in a category of a batch."""


@dataclass(frozen=True)
class Batches:
    """The batches of one table, in the order of their first rows."""

    sizes: np.ndarray
    """int64[b], rows of each batch."""
    starts: np.ndarray
    """float64[b], time of its first row."""
    labels: np.ndarray
    """int64[n], the batch of each row of the table."""

    @classmethod
    def of(cls, sample: Sample, time: str, shared: tuple[str, ...]) -> Batches:
        """Return the batches of rows that all have a time, by group or by `shared` categories."""
        seconds = sample.number(time)
        raw = _runs(sample, seconds, shared) if sample.groups is None else sample.groups
        _, at, labels = np.unique(raw, return_index=True, return_inverse=True)
        starts = np.full(len(at), np.inf)
        np.minimum.at(starts, labels, seconds)
        return cls(np.bincount(labels), starts, labels)


def shared_categories(sample: Sample, time: str) -> tuple[str, ...]:
    """Return the categories in which successive rows of a burst agree: what a batch has in common.

    Looks at rows that follow each other within `GAP_S`, put in order of their categories within a
    second, and keeps the categories whose agreement has a kappa of at least `SHARED`.
    """
    order = np.argsort(sample.number(time), kind="stable")
    near = np.diff(sample.number(time)[order]) <= GAP_S
    if not near.any():
        return ()
    found = []
    for name in sample.schema.categories:
        codes = sample.category(name)[order]
        chance = float((np.bincount(codes) / len(codes)) @ (np.bincount(codes) / len(codes)))
        agree = float((codes[1:] == codes[:-1])[near].mean())
        if agree - chance >= SHARED * (1 - chance):
            found.append(name)
    return tuple(found)


def _runs(sample: Sample, seconds: np.ndarray, shared: tuple[str, ...]) -> np.ndarray:
    """Return the number of each row's run, int64[n]."""
    codes = [sample.category(name) for name in shared]
    order = np.lexsort([seconds, *codes])
    begins = np.diff(seconds[order]) > GAP_S
    for column in codes:
        begins |= column[order][1:] != column[order][:-1]
    runs = np.empty(len(order), dtype=np.int64)
    runs[order] = np.concatenate([[0], np.cumsum(begins)])
    return runs


def explained(values: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of the variance of values that rows have in common with their batch.

    The intraclass correlation by analysis of variance (Fisher; unequal sizes as in Searle 1971),
    times the share of rows that are not alone in their batch. Unlike eta squared it does not grow
    as batches shrink: rows that are all alone give 0. Missing values are left out.
    """
    here = ~np.isnan(values)
    sums = BatchSums.of(values[here], labels[here], int(labels.max(initial=-1)) + 1)
    return sums.explained(np.ones(len(sums.sizes)))


@dataclass(frozen=True)
class BatchSums:
    """What the analysis of variance needs to know of each batch, float64[batches] each."""

    sizes: np.ndarray
    """Rows with a value."""
    sums: np.ndarray
    """Sum of the values, around their mean over all rows."""
    squares: np.ndarray
    """Sum of their squares."""

    @classmethod
    def of(cls, values: np.ndarray, labels: np.ndarray, batches: int) -> BatchSums:
        """Return the sums of values, without missing ones, by batch."""
        around = values - (values.mean() if len(values) else 0.0)
        return cls(
            np.bincount(labels, minlength=batches).astype(np.float64),
            np.bincount(labels, around, batches),
            np.bincount(labels, around**2, batches),
        )

    def explained(self, weights: np.ndarray) -> float:
        """Return the share in common (see `explained`), each batch counted `weights` times."""
        weights = np.where(self.sizes > 0, weights, 0.0)
        n, groups = float(weights @ self.sizes), float(weights.sum())
        if groups <= 1 or n <= groups:
            return 0.0
        own = self.sums**2 / np.maximum(self.sizes, 1.0)
        between = float(weights @ own) - float(weights @ self.sums) ** 2 / n
        within = float(weights @ (self.squares - own))
        size = (n - float(weights @ self.sizes**2) / n) / (groups - 1)
        inside = within / (n - groups)
        apart = (between / (groups - 1) - inside) / size
        if apart + inside <= 0:
            return 0.0
        together = float(weights[self.sizes > 1] @ self.sizes[self.sizes > 1]) / n
        return together * float(np.clip(apart / (apart + inside), 0.0, 1.0))


def batch_coherence(sample: Sample, time: str, columns: list[str]) -> float:
    """Return the share of successive rows in time that agree in every one of `columns`.

    Rows of one second are put in order of their categories, so that no tie is broken by chance.
    Rows drawn independently score the chance that any two rows agree.
    """
    codes = np.column_stack([sample.category(name) for name in columns])
    order = np.lexsort([*codes.T, np.floor(sample.number(time))])
    return float((codes[order][1:] == codes[order][:-1]).all(axis=1).mean())
