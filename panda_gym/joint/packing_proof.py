"""Prove that items do not fit into bins of several classes, by prices of items.

Let every item have a price of at least 0, and let v be the largest sum of prices that fits into a
bin of a class. If the prices of all items exceed the sum of v over all bins, no packing exists. Any
prices are valid. v is found by dynamic programming on sizes that are rounded down, so that it is
never too small, and a proof rests on sums only.

Good prices are dual values of the linear program of Gilmore and Gomory (1961), which packs
fractions of bins; its columns are contents of bins and come from the dynamic program. Prices are
smoothed (Wentges 1997).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

Array = np.ndarray
GRID: Final = 2_000
"""Units of a bin to which sizes are rounded down."""
SMOOTHING: Final = 0.5
"""Weight of the best prices so far in those that are tried."""
NEAR: Final = 1e-9
"""Relative excess that a proof needs, against rounding of sums."""
MOST_ROUNDS: Final = 400


@dataclass(frozen=True, eq=False)
class Packing:
    """Groups of like items and classes of like bins."""

    size: Array
    """Size of an item of a group in a bin of a class, over that bin's; float64[I, K]."""
    items: Array
    """Items of each group, int64[I]."""
    bins: Array
    """Bins of each class, int64[K]."""

    def units(self) -> Array:
        """Return the sizes in units of the grid, rounded down, int64[I, K].

        `GRID` + 1: an item does not fit.
        """
        fits = self.size <= 1.0 + NEAR
        whole = np.floor(np.where(fits, self.size, 0.0) * GRID * (1.0 - NEAR))
        return np.where(fits, np.minimum(whole, GRID), GRID + 1).astype(np.int64)


Columns = dict[tuple[int, bytes], Array]
"""Contents of bins that the linear program may use: items of each group, int64[I], by class."""


def is_impossible(packing: Packing, columns: Columns, cpu_s: float) -> tuple[bool, Columns]:
    """Return whether prices prove that the items do not fit, and columns for a similar packing.

    False: the linear program packs them, or time is over.
    """
    units = packing.units()
    columns = _fitting(packing, units, columns)
    if (units.min(axis=1) > GRID).any():
        return True, columns
    begin, best, best_value = time.process_time(), np.zeros(len(packing.items)), 0.0
    for _ in range(MOST_ROUNDS):
        fullness, prices = fractional(packing, columns)
        if fullness <= 1.0 or time.process_time() - begin > cpu_s:
            break
        for tried in (SMOOTHING * best + (1.0 - SMOOTHING) * prices, prices):
            value, added = price_out(packing, units, tried, columns)
            if value > 1.0 + NEAR:
                return True, columns
            if value > best_value:
                best, best_value = tried, value
            if added:
                break
        else:
            break
    return False, columns


def price_out(
    packing: Packing, units: Array, prices: Array, columns: Columns
) -> tuple[float, bool]:
    """Return the value of prices, and whether new columns were added that improve the program.

    Above 1 the value is a proof: the sum of all prices over the most that the bins can hold.
    """
    held, before = 0.0, len(columns)
    for k, bins in enumerate(packing.bins):
        worth, content = fullest(units[:, k], prices, packing.items)
        held += bins * worth
        columns.setdefault((k, content.tobytes()), content)
    total = float(prices @ packing.items)
    return (total / held if held > 0.0 else 0.0), len(columns) > before


def fullest(units: Array, prices: Array, items: Array) -> tuple[float, Array]:
    """Return the largest sum of prices that fits into a bin, and the items of each group there."""
    copies = np.where(units <= GRID, np.minimum(items, GRID // np.maximum(units, 1)), 0)
    copies = np.where(prices > 0.0, copies, 0)
    owner = np.repeat(np.arange(len(items)), copies)
    best, taken = np.zeros(GRID + 1), np.zeros((len(owner), GRID + 1), bool)
    for row, i in enumerate(owner):
        size = units[i]
        other = best[: GRID + 1 - size] + prices[i]
        np.greater(other, best[size:], out=taken[row, size:])
        np.maximum(best[size:], other, out=best[size:])
    content, room = np.zeros(len(items), np.int64), GRID
    for row in range(len(owner) - 1, -1, -1):
        if taken[row, room]:
            content[owner[row]] += 1
            room -= units[owner[row]]
    return float(best[GRID]), content


def fractional(packing: Packing, columns: Columns) -> tuple[float, Array]:
    """Return how full the classes are in the best fractional packing, and the items' prices.

    Prices are those of one item of each group, float64[I]; all bins together are worth 1.
    """
    content, kind = np.array(list(columns.values())), np.array([k for k, _ in columns])
    count, classes = len(kind), len(packing.bins)
    column, group = np.nonzero(content)
    rows = [group, len(packing.items) + kind, len(packing.items) + np.arange(classes)]
    at = [column, np.arange(count), np.full(classes, count)]
    values = [-content[column, group], np.ones(count), -packing.bins]
    table = coo_array(
        (np.concatenate(values).astype(float), (np.concatenate(rows), np.concatenate(at))),
        shape=(len(packing.items) + classes, count + 1),
    ).tocsr()
    bound = np.concatenate([-packing.items, np.zeros(classes)])
    cost = np.zeros(count + 1)
    cost[count] = 1.0
    solved = linprog(cost, A_ub=table, b_ub=bound, method="highs")
    if solved.x is None:
        return 0.0, np.zeros(len(packing.items))
    prices = np.maximum(-solved.ineqlin.marginals[: len(packing.items)], 0.0)
    return float(solved.fun), prices


def _fitting(packing: Packing, units: Array, columns: Columns) -> Columns:
    """Return those columns that fit, and one of a single item for each group and class."""
    found = {key: one for key, one in columns.items() if one @ units[:, key[0]] <= GRID}
    single = np.eye(len(packing.items), dtype=np.int64)
    for group, kind in zip(*np.nonzero(units <= GRID), strict=True):
        found.setdefault((int(kind), single[group].tobytes()), single[group])
    return found
