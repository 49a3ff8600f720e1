"""Exact nearest neighbours of mixed rows, at the size of the paper; never approximates.

The squared distance of two rows is the squared Euclidean distance of their scaled numbers plus
`weight` for every category in which they differ. `NearestRecords` finds the least one exactly:

level 0    rows that agree in all c categories: one k-d tree for each group of equal rows;
global     one k-d tree over all numbers gives n0, the least numeric distance whatever the
           categories, and with it a row at most n0 + c * weight away: level c is then done;
level m    rows that agree in some c - m categories: one tree for each group of every subset of
           c - m columns. A query leaves when best <= n0 + m * weight: no further row can be nearer.

Good synthetic rows leave at level 0, so the usual cost is one tree query each. When few queries
are left, or a column set has not been indexed and would not pay, they are scanned in blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

Progress = Callable[[int, int, str], None]

SCAN_PAIRS = 20_000_000
"""Pairs of rows up to which scanning beats building further trees."""
BLOCK_PAIRS = 2_000_000
"""Pairs of rows held at once while scanning."""
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
            if not self._pays(len(left)):
                self._scan(numbers, codes, left, best)
                break
            for subset in combinations(range(c), c - m):
                left = left[best[left] > least[left] + m * self.weight]
                self._search(subset, numbers, codes, left, m, best)
        if progress is not None:
            progress(c, c, "nearest rows found")
        return np.sqrt(best + fixed)

    def _pays(self, queries: int) -> bool:
        return queries * len(self.numbers) > SCAN_PAIRS

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
        if subset not in self._groups:
            self._groups[subset] = _Groups(_Keys(self.codes, subset), self.numbers)
        groups, extra = self._groups[subset], m * self.weight
        keys = groups.keys.of(codes[rows])
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0])
        for start, stop in zip(starts, np.r_[starts[1:], len(order)], strict=True):
            members = rows[order[start:stop]]
            group = groups.find(keys[order[start]])
            if group >= 0:
                reach = float(np.sqrt(max(best[members].max() - extra, 0.0)))
                near = groups.nearest(group, numbers[members], reach)
                best[members] = np.minimum(best[members], near + extra)

    def _scan(
        self, numbers: np.ndarray, codes: np.ndarray, rows: np.ndarray, best: np.ndarray
    ) -> None:
        """Compare these queries with every reference row."""
        block = max(1, BLOCK_PAIRS // max(len(self.numbers), 1))
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            total = np.zeros((len(part), len(self.numbers)))
            for i in range(numbers.shape[1]):
                total += (numbers[part, i, None] - self.numbers[:, i]) ** 2
            for j in range(codes.shape[1]):
                total += self.weight * (codes[part, j, None] != self.codes[:, j])
            best[part] = np.minimum(best[part], total.min(axis=1))


class _Groups:
    """Reference rows sorted by group, each group with a tree that is built when first met."""

    def __init__(self, keys: _Keys, numbers: np.ndarray) -> None:
        self.keys = keys
        order = np.argsort(keys.reference, kind="stable")
        self.found, self.starts = np.unique(keys.reference[order], return_index=True)
        self.stops = np.r_[self.starts[1:], len(order)]
        self.numbers = numbers[order]
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
        if group not in self.trees:
            self.trees[group] = cKDTree(rows, balanced_tree=False, compact_nodes=False)
        # The bound is strict in scipy; a hair more lets an equally distant row be found.
        limit = reach * (1 + 1e-12) + 1e-300 if np.isfinite(reach) else np.inf
        distance, _ = self.trees[group].query(queries, distance_upper_bound=limit)
        return distance**2


class _Keys:
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
