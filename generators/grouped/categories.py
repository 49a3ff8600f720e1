"""A category within batches: shared by all rows, or a first and second choice and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

SHARED = 0.999
"""Share of rows with their batch's first choice from which on a category is one of the batch."""
NONE = -2
"""Second choice of a batch that has none."""


@dataclass(frozen=True)
class CategoryPart:
    """How one category behaves within batches. Codes count from 0; the last one is "missing"."""

    name: str
    """Of its columns in the table of batches."""
    shared: bool
    """Whether all rows of a batch have the same."""
    others: np.ndarray
    """float64[codes], running sums of the chances of third and later choices."""
    kinds: int
    """Different third and later choices of a batch that has any."""
    sticky: float
    """Chance beyond coincidence that a row has the choice of the row before it."""

    @classmethod
    def fit(
        cls, name: str, codes: np.ndarray, size: int, label: np.ndarray, first: np.ndarray
    ) -> tuple[CategoryPart, dict[str, Any]]:
        """Return the part and its columns of the table of batches, b entries each.

        Args:
            name: of the columns.
            codes: int64[n], batch by batch.
            size: number of codes, "missing" included.
            label: batch of each row, int64[n].
            first: where each batch begins, int64[b + 1].
        """
        sizes = np.diff(first)
        top, second, count, next_count, rest, pairs, kinds = _choices(codes, size, label, sizes)
        shared = count.sum() >= SHARED * len(codes)
        sticky = 0.0 if shared else _stickiness(codes, label, sizes, pairs)
        others = np.cumsum(rest) / max(rest.sum(), 1)
        part = cls(name, bool(shared), others, int(kinds), sticky)
        columns: dict[str, Any] = {name: _plain(top)}
        if not shared:
            columns[f"{name}.next"] = _plain(second)
            columns[f"{name}.share"] = count / sizes
            columns[f"{name}.next share"] = np.where(
                sizes > count, next_count / np.maximum(sizes - count, 1), 1.0
            )
        return part, columns

    def draw(
        self, table: pd.DataFrame, sizes: np.ndarray, label: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the codes of all rows of drawn batches, int64[n]."""
        top = whole(table[self.name])
        if self.shared:
            return top[label]
        second = whole(table[f"{self.name}.next"])
        u = rng.random((2, len(sizes)))
        ours = np.floor(table[f"{self.name}.share"].to_numpy(float) * sizes + u[0])
        ours = np.where(second == NONE, sizes, np.clip(ours, 1, sizes))
        share = table[f"{self.name}.next share"].to_numpy(float)
        theirs = ours + np.clip(np.floor(share * (sizes - ours) + u[1]), 0, sizes - ours)
        rank = shuffled(sizes, label, self.sticky, rng)
        drawn = np.searchsorted(self.others, rng.random((len(sizes), self.kinds)), "right")
        few = np.minimum(drawn, len(self.others) - 1)
        other = few[label, rng.integers(self.kinds, size=len(label))]
        rest = np.where(rank < theirs[label], second[label], other)
        return np.where(rank < ours[label], top[label], rest)


def shuffled(
    sizes: np.ndarray, label: np.ndarray, sticky: float, rng: np.random.Generator
) -> np.ndarray:
    """Return each row's rank in a random order of its batch, int64[n].

    Rows that follow each other keep neighbouring ranks with probability `sticky`.
    """
    n = len(label)
    first = np.cumsum(sizes) - sizes
    key = rng.random(n)
    if sticky > 0.0:
        fresh = rng.random(n) >= sticky
        fresh[first] = True
        key = key[np.maximum.accumulate(np.where(fresh, np.arange(n), 0))]
    order = np.lexsort([key, label])
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n) - first[label]
    return rank


def whole(column: pd.Series) -> np.ndarray:
    """Return the integers that are the levels of a category, int64[n]."""
    levels = column.cat.categories.to_numpy(np.int64)
    return levels[column.cat.codes.to_numpy()]


def _plain(codes: np.ndarray) -> pd.Categorical:
    """Return integers as a category of those that occur."""
    levels, at = np.unique(codes, return_inverse=True)
    return pd.Categorical.from_codes(at, categories=pd.Index(levels.astype(np.int64)))


def _choices(
    codes: np.ndarray, size: int, label: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return first and second choice of each batch, their rows, the others, and equal pairs.

    The last is how many different others a batch has, on the mean of its rows that are others.
    """
    cell, count = np.unique(label * size + codes, return_counts=True)
    batch, code = np.divmod(cell, size)
    order = np.lexsort([code, -count, batch])
    batch, code, count = batch[order], code[order], count[order]
    begin = np.searchsorted(batch, np.arange(len(sizes)))
    has = np.append(begin[1:], len(batch)) - begin > 1
    at = np.minimum(begin + 1, len(batch) - 1)
    third = np.ones(len(batch), bool)
    third[begin] = False
    third[at[has]] = False
    rest = np.bincount(code[third], count[third], size)
    kinds = np.bincount(batch[third], minlength=len(sizes))[batch[third]]
    mean = np.average(kinds, weights=count[third]) if third.any() else 1.0
    pairs = np.bincount(batch, count * (count - 1.0), len(sizes))
    second, next_count = np.where(has, code[at], NONE), np.where(has, count[at], 0)
    return code[begin], second, count[begin], next_count, rest, pairs, np.rint(mean)


def _stickiness(
    codes: np.ndarray, label: np.ndarray, sizes: np.ndarray, pairs: np.ndarray
) -> float:
    """Return the agreement of successive rows of mixed batches beyond a random order's."""
    mixed = pairs < sizes * (sizes - 1.0)
    if not mixed.any():
        return 0.0
    inside = (np.diff(label) == 0) & mixed[label[1:]]
    agree = float((np.diff(codes)[inside] == 0).mean())
    by_chance = pairs[mixed] / (sizes[mixed] * (sizes[mixed] - 1.0))
    chance = float(np.average(by_chance, weights=sizes[mixed] - 1.0))
    return float(np.clip((agree - chance) / max(1.0 - chance, 1e-9), 0.0, 0.99))
