"""Split the rows of each group into batches at long pauses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RECURRING = 0.05
"""Share of batches above which recurring groups are distinguished."""


@dataclass(frozen=True)
class Batches:
    """n rows in b batches."""

    order: np.ndarray
    """int64[n], positions of the rows, batch by batch, in order of time within each."""
    first: np.ndarray
    """int64[b + 1], where each batch begins in `order`, and n."""
    member: np.ndarray
    """int64[b], number of the batch's group if it is one that recurs, else -1."""

    @classmethod
    def of(
        cls,
        groups: np.ndarray | None,
        ticks: np.ndarray | None,
        pause: float,
        min_count: int,
        n: int,
        longest: float = np.inf,
    ) -> Batches:
        """Return the batches of n rows.

        Args:
            groups: group of each row, int64[n], -1 for a row that stands alone; None: all do.
            ticks: time of each row, int64[n], or None.
            pause: longest time between two rows of one batch, in the unit of `ticks`.
            min_count: batches from which on a group counts as recurring.
            longest: time in that unit after which a batch is cut though its group goes on.
        """
        times = np.zeros(n, np.int64) if ticks is None else ticks
        alone = np.full(n, -1, np.int64) if groups is None else groups
        code = np.where(alone < 0, alone.max(initial=-1) + 1 + np.arange(n), alone)
        order = np.lexsort([times, code])
        new = np.ones(n, bool)
        new[1:] = (np.diff(code[order]) != 0) | (np.diff(times[order]) > pause)
        if np.isfinite(longest):
            new |= _cuts(times[order], new, longest)
        first = np.append(np.flatnonzero(new), n)
        return cls(order, first, _members(alone[order][first[:-1]], min_count))

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each batch, int64[b]."""
        return np.diff(self.first)

    @property
    def label(self) -> np.ndarray:
        """Batch of each row in `order`, int64[n]."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def take(self, chosen: np.ndarray) -> Batches:
        """Return the chosen batches (mask [b]) alone."""
        rows = np.repeat(chosen, self.sizes)
        first = np.concatenate([[0], np.cumsum(self.sizes[chosen])])
        return Batches(self.order[rows], first, self.member[chosen])


def _cuts(times: np.ndarray, new: np.ndarray, longest: float) -> np.ndarray:
    """Return which rows come a whole number of longest times after their batch's first, bool[n]."""
    begin = times[new][np.cumsum(new) - 1]
    piece = np.floor((times - begin) / longest)
    return np.diff(piece, prepend=0.0) > 0


def _members(group: np.ndarray, min_count: int) -> np.ndarray:
    """Return the rank of each batch's group among those that recur, or -1, int64[b]."""
    found, code, count = np.unique(group, return_inverse=True, return_counts=True)
    often = (count >= max(min_count, 2)) & (found >= 0)
    rank = np.where(often, np.cumsum(often) - 1, -1)[code]
    return rank if (rank >= 0).mean() >= RECURRING else np.full(len(group), -1)
