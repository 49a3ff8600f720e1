"""Exact nearest neighbours of rows with numbers and categories.

The squared distance of two rows is the squared Euclidean distance of their scaled numbers plus
`weight` for every category in which they differ. `NearestRecords` finds the least one exactly:

level 0    rows that agree in all c categories: one k-d tree for each group of equal rows;
global     one k-d tree over all numbers gives n0, the least numeric distance whatever the
           categories, and with it a row at most n0 + c * weight away: level c is then done;
level m    rows that agree in some c - m categories: one tree for each group of every subset of
           c - m columns. A query leaves when best <= n0 + m * weight: no further row can be nearer.

Good synthetic rows leave at level 0, so the usual cost is one tree query each. Level m has
binomial(c, m) subsets: where indexing them costs more than comparing the queries that are left with
every row, these are scanned in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from math import comb

import numpy as np
from scipy.spatial import cKDTree

Progress = Callable[[int, int, str], None]

SCAN_PAIRS = 20_000_000
"""Pairs of rows up to which scanning beats building further trees."""
BLOCK_PAIRS = 400_000
"""Pairs of rows held at once while scanning."""
SCAN_S, INDEX_S, VISIT_S = 1e-9, 3e-7, 1.5e-5
"""CPU seconds of one column of one pair in a scan, of one row in an index of a subset, and of one
query in it; their ratios decide between scan and trees and change no distance."""
SMALL_GROUP = 24
"""Rows of a group up to which no tree is built."""


class NearestRecords:
    """An index of reference rows, built as far as queries need it and reused between them.

    Parameters
    ----------
    numbers
        float64[n, d], scaled, without NaN.
    codes
        int[n, c], categories.
    weight
        What one differing category adds to the squared distance.
    """

    def __init__(self, numbers: np.ndarray, codes: np.ndarray, weight: float = 1.0) -> None:
        self.numbers = np.ascontiguousarray(numbers, dtype=np.float64)
        # A column with one level puts every row at the same distance: it is added at the end.
        self._varies = np.ptp(codes, axis=0) > 0 if len(codes) else np.ones(codes.shape[1], bool)
        self._constant = codes[:1, ~self._varies].astype(np.int64)
        self.codes = np.ascontiguousarray(codes[:, self._varies], dtype=np.int64)
        self.weight = float(weight)
        self._groups: dict[tuple[int, ...], _Groups] = {}
        self._tree: cKDTree | None = None

    def query(
        self, numbers: np.ndarray, codes: np.ndarray, progress: Progress | None = None
    ) -> np.ndarray:
        """Return the distance of each query to its nearest reference row, float64[q]."""
        numbers = np.ascontiguousarray(numbers, dtype=np.float64)
        fixed = self.weight * (codes[:, ~self._varies] != self._constant).sum(axis=1)
        codes = np.ascontiguousarray(codes[:, self._varies], dtype=np.int64)
        c = codes.shape[1]
        best = np.full(len(numbers), np.inf)
        self._search(tuple(range(c)), numbers, codes, np.arange(len(numbers)), 0, best)
        least = np.zeros(len(numbers))
        left = np.flatnonzero(best > self.weight)
        self._globally(numbers, codes, left, best, least)
        for m in range(1, c):
            if progress is not None:
                progress(m, c, f"nearest rows: {len(left)} queries left at {m} differences")
            left = left[best[left] > least[left] + m * self.weight]
            if not self._pays(len(left), m):
                self._scan(numbers, codes, left, best)
                break
            for subset in combinations(range(c), c - m):
                left = left[best[left] > least[left] + m * self.weight]
                self._search(subset, numbers, codes, left, m, best)
        if progress is not None:
            progress(c, c, "nearest rows found")
        return np.sqrt(best + fixed)

    def query_two(self, numbers: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the distances of each query to its two nearest reference rows, float64[q, 2].

        Equal rows count one by one; the second is inf where there is a single reference row. The
        levels are those of `query`; a query leaves when its second row cannot be beaten.
        """
        numbers = np.ascontiguousarray(numbers, dtype=np.float64)
        fixed = self.weight * (codes[:, ~self._varies] != self._constant).sum(axis=1)
        codes = np.ascontiguousarray(codes[:, self._varies], dtype=np.int64)
        c, pairs = codes.shape[1], _Pairs(len(numbers))
        left = np.arange(len(numbers))
        least = np.zeros(len(numbers))
        for m in range(c + 1):
            if m == 1:
                self._globally(numbers, codes, left, pairs.squared[:, 1].copy(), least)
            left = left[pairs.squared[left, 1] > least[left] + m * self.weight]
            if m and not self._pays(len(left), m):
                self._scan_two(numbers, codes, left, pairs)
                break
            for subset in combinations(range(c), c - m):
                left = left[pairs.squared[left, 1] > least[left] + m * self.weight]
                self._search_two(subset, numbers, codes, left, m, pairs)
        return np.sqrt(pairs.squared + fixed[:, None])

    def _search_two(
        self,
        subset: tuple[int, ...],
        numbers: np.ndarray,
        codes: np.ndarray,
        rows: np.ndarray,
        m: int,
        pairs: _Pairs,
    ) -> None:
        """Lower the pairs of these queries by reference rows that agree in `subset`.

        A row that agrees in more columns is counted too far here, but it was met at its own level,
        or two nearer rows were.
        """
        groups, extra = self._indexed(subset), m * self.weight
        for key, members in _by_key(groups.keys.of(codes[rows]), rows):
            group = groups.find(key)
            if group >= 0:
                second = pairs.squared[members, 1].max()
                reach = float(np.sqrt(max(second - extra, 0.0)))
                squared, who = groups.two_nearest(group, numbers[members], reach)
                pairs.lower(members, squared + extra, who)

    def _scan_two(
        self, numbers: np.ndarray, codes: np.ndarray, rows: np.ndarray, pairs: _Pairs
    ) -> None:
        """Compare these queries with every reference row."""
        for part, total in self._scanned(numbers, codes, rows):
            who = np.argpartition(total, min(1, total.shape[1] - 1), axis=1)[:, :2]
            pairs.lower(part, np.take_along_axis(total, who, axis=1), who)

    def _pays(self, queries: int, m: int) -> bool:
        """Return whether trees at level m cost less than a scan of the queries that are left."""
        pairs, (n, d), c = queries * len(self.numbers), self.numbers.shape, self.codes.shape[1]
        trees_s = comb(c, m) * (n * INDEX_S + queries * VISIT_S)
        return pairs > SCAN_PAIRS and trees_s < pairs * (d + c) * SCAN_S

    def _globally(
        self,
        numbers: np.ndarray,
        codes: np.ndarray,
        rows: np.ndarray,
        best: np.ndarray,
        least: np.ndarray,
    ) -> None:
        """Set `least` to the least numeric distance and lower `best` by the row found there."""
        if not len(rows):
            return
        if not numbers.shape[1]:
            best[rows] = np.minimum(best[rows], self.weight * codes.shape[1])
            return
        if self._tree is None:
            self._tree = cKDTree(self.numbers, balanced_tree=False, compact_nodes=False)
        distance, found = self._tree.query(numbers[rows])
        least[rows] = distance**2
        differ = (self.codes[found] != codes[rows]).sum(axis=1)
        best[rows] = np.minimum(best[rows], least[rows] + self.weight * differ)

    def _search(
        self,
        subset: tuple[int, ...],
        numbers: np.ndarray,
        codes: np.ndarray,
        rows: np.ndarray,
        m: int,
        best: np.ndarray,
    ) -> None:
        """Lower `best` by reference rows that agree in `subset`, counting m differences.

        A row of the group may agree in more columns; it was then met with fewer differences, at a
        lower level, so that counting m here never makes `best` too small.
        """
        if not len(rows):
            return
        groups, extra = self._indexed(subset), m * self.weight
        for key, members in _by_key(groups.keys.of(codes[rows]), rows):
            group = groups.find(key)
            if group >= 0:
                reach = float(np.sqrt(max(best[members].max() - extra, 0.0)))
                near = groups.nearest(group, numbers[members], reach)
                best[members] = np.minimum(best[members], near + extra)

    def _scan(
        self, numbers: np.ndarray, codes: np.ndarray, rows: np.ndarray, best: np.ndarray
    ) -> None:
        """Compare these queries with every reference row."""
        for part, total in self._scanned(numbers, codes, rows):
            best[part] = np.minimum(best[part], total.min(axis=1))

    def _indexed(self, subset: tuple[int, ...]) -> _Groups:
        """Return the groups of rows that agree in a subset of the columns, built once."""
        if subset not in self._groups:
            self._groups[subset] = _Groups(Keys(self.codes, subset), self.numbers)
        return self._groups[subset]

    def _scanned(
        self, numbers: np.ndarray, codes: np.ndarray, rows: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield blocks of these queries, and their squared distances to every reference row."""
        block = max(1, BLOCK_PAIRS // max(len(self.numbers), 1))
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            total = np.zeros((len(part), len(self.numbers)))
            for i in range(numbers.shape[1]):
                total += (numbers[part, i, None] - self.numbers[:, i]) ** 2
            for j in range(codes.shape[1]):
                total += self.weight * (codes[part, j, None] != self.codes[:, j])
            yield part, total


def _by_key(keys: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each key and the rows that have it."""
    if not len(rows):
        return
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0])
    for start, stop in zip(starts, np.r_[starts[1:], len(order)], strict=True):
        yield int(keys[order[start]]), rows[order[start:stop]]


class _Pairs:
    """The two nearest rows of each query so far: squared distances and positions."""

    def __init__(self, queries: int) -> None:
        self.squared = np.full((queries, 2), np.inf)
        self.who = np.full((queries, 2), -1, dtype=np.int64)

    def lower(self, rows: np.ndarray, squared: np.ndarray, who: np.ndarray) -> None:
        """Take candidates float64[r, k] and their positions into the pairs of these queries.

        A row met twice counts once, at its lesser distance.
        """
        squared = np.concatenate([self.squared[rows], squared], axis=1)
        who = np.concatenate([self.who[rows], who], axis=1)
        order = np.argsort(squared, axis=1, kind="stable")
        squared = np.take_along_axis(squared, order, axis=1)
        who = np.take_along_axis(who, order, axis=1)
        other = np.where(who[:, 1:] == who[:, :1], np.inf, squared[:, 1:])
        at, every = other.argmin(axis=1), np.arange(len(rows))
        self.squared[rows] = np.column_stack([squared[:, 0], other[every, at]])
        self.who[rows] = np.column_stack([who[:, 0], who[every, 1 + at]])


class _Groups:
    """Reference rows sorted by group, each group with a tree that is built when first met."""

    def __init__(self, keys: Keys, numbers: np.ndarray) -> None:
        self.keys = keys
        order = np.argsort(keys.reference, kind="stable")
        self.found, self.starts = np.unique(keys.reference[order], return_index=True)
        self.stops = np.r_[self.starts[1:], len(order)]
        self.numbers, self.rows = numbers[order], order
        self.trees: dict[int, cKDTree] = {}

    def find(self, key: int) -> int:
        """Return the group's position, or -1."""
        at = int(np.searchsorted(self.found, key))
        return at if at < len(self.found) and self.found[at] == key else -1

    def nearest(self, group: int, queries: np.ndarray, reach: float) -> np.ndarray:
        """Return the least squared distance to the group's rows; inf beyond `reach`."""
        rows = self.numbers[self.starts[group] : self.stops[group]]
        if len(rows) <= SMALL_GROUP or not rows.shape[1]:
            return ((queries[:, None, :] - rows[None]) ** 2).sum(axis=2).min(axis=1)
        distance, _ = self._tree(group).query(queries, distance_upper_bound=_beyond(reach))
        return distance**2

    def two_nearest(
        self, group: int, queries: np.ndarray, reach: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return least squared distances float64[q, 2], inf beyond `reach`, and whose they are."""
        start, stop = self.starts[group], self.stops[group]
        numbers, rows = self.numbers[start:stop], np.r_[self.rows[start:stop], -1]
        if len(numbers) <= SMALL_GROUP or not numbers.shape[1]:
            squared = ((queries[:, None, :] - numbers[None]) ** 2).sum(axis=2)
            at = np.argsort(squared, axis=1, kind="stable")[:, :2]
            return np.take_along_axis(squared, at, axis=1), rows[at]
        distance, at = self._tree(group).query(queries, k=2, distance_upper_bound=_beyond(reach))
        return distance**2, rows[at]

    def _tree(self, group: int) -> cKDTree:
        if group not in self.trees:
            rows = self.numbers[self.starts[group] : self.stops[group]]
            self.trees[group] = cKDTree(rows, balanced_tree=False, compact_nodes=False)
        return self.trees[group]


def _beyond(reach: float) -> float:
    """Return a bound that an equally distant row is within: scipy's is strict."""
    return reach * (1 + 1e-12) + 1e-300 if np.isfinite(reach) else np.inf


class Keys:
    """One integer per row that is equal exactly where the columns of a subset are equal.

    Mixed radix; before a product would overflow, the keys met so far are renumbered. A level or
    combination that the reference has not gets the number after the last: it matches no row.
    """

    def __init__(self, codes: np.ndarray, subset: tuple[int, ...]) -> None:
        self.steps: list[tuple[int, int, np.ndarray | None]] = []
        key, size = np.zeros(len(codes), dtype=np.int64), 1
        for j in subset:
            radix, known = int(codes[:, j].max(initial=0)) + 2, None
            if size * radix > 2**62:
                known = np.unique(key)
                key, size = np.searchsorted(known, key), len(known) + 1
            self.steps.append((j, radix, known))
            key, size = key * radix + codes[:, j], size * radix
        self.reference = key

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Return the keys of query rows, int64[q]."""
        key = np.zeros(len(codes), dtype=np.int64)
        for j, radix, known in self.steps:
            if known is not None:
                at = np.minimum(np.searchsorted(known, key), len(known) - 1)
                key = np.where(known[at] == key, at, len(known))
            key = key * radix + np.minimum(codes[:, j], radix - 1)
        return key
