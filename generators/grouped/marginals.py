"""Quantile mapping of drawn numbers to the marginal distributions that were seen.

A base generator learns how columns depend on each other and, on some thousand batches, their
marginals only roughly. An error of two per cent in the distribution of sizes is little in a table
of batches and a tenth of all rows. So each number is moved to the quantile of the seen distribution
that it has in the drawn one (quantile mapping; within an atom at random, as in the distributional
transform of Rüschendorf 2009). Ranks, and with them the dependence between columns, stay. Rows are
mapped likewise once they are drawn: equal values stay equal, and 0 stays 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

KNOTS = 512
"""Most quantiles kept of a distribution."""
ROWS_A_KNOT = 8
"""Least batches a quantile, so that no single batch is kept."""
EXACT = 2.0**53
"""Whole numbers beyond this are left as they are drawn: floats cannot hold them."""


@dataclass(frozen=True)
class Marginals:
    """Quantiles of each number as it is drawn and as it was seen."""

    knots: dict[str, np.ndarray]
    """float64[2, knots] by column: drawn above, seen below, each in order."""

    @classmethod
    def fit(cls, drawn: pd.DataFrame, seen: pd.DataFrame) -> Marginals:
        """Return the map from what a base draws to what was seen, column by column."""
        knots = {}
        for name in seen.columns:
            if isinstance(seen[name].dtype, pd.CategoricalDtype):
                continue
            pair = _knots(_known(drawn[name]), _known(seen[name]))
            if pair is not None:
                knots[name] = pair
        return cls(knots)

    def moved(self, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Return a drawn table with its numbers moved; missing entries stay missing."""
        changed = {}
        for name in table.columns:
            if name not in self.knots:
                continue
            column, (drawn, seen) = table[name], self.knots[name]
            here = column.notna().to_numpy()
            values = _values(_places(column[here].to_numpy(np.float64), drawn, rng), seen)
            whole = column.dtype.kind in "iu"
            moved = column.copy()
            moved[here] = np.rint(values).astype(np.int64) if whole else values
            changed[name] = moved
        return table.assign(**changed)


Values = list[tuple[np.ndarray, np.ndarray]]
"""Values and missing entries of each column, [n] each."""


@dataclass(frozen=True)
class RowMarginals:
    """The same for the rows themselves, for each number's entries other than 0."""

    knots: dict[str, np.ndarray]
    """float64[2, knots] by the column's place: drawn values in order, and where each goes."""

    @classmethod
    def fit(cls, drawn: Values, seen: Values, places: list[int]) -> RowMarginals:
        """Return the map from drawn to seen rows for the columns at some places."""
        knots = {}
        for place in places:
            own = [v[(v != 0) & ~m].astype(np.float64) for v, m in (drawn[place], seen[place])]
            pair = _knots(*own)
            if pair is not None:
                at = np.unique(pair[0])
                knots[f"{place}"] = np.stack([at, _values(_places(at, pair[0], None), pair[1])])
        return cls(knots)

    def moved(self, columns: Values) -> Values:
        """Return drawn columns with their numbers moved."""
        out = list(columns)
        for place, (drawn, goes_to) in self.knots.items():
            values, missing = columns[int(place)]
            here = (values != 0) & ~missing
            x = np.clip(np.interp(values[here], drawn, goes_to), goes_to[0], goes_to[-1])
            moved = values.copy()
            moved[here] = np.rint(x).astype(values.dtype) if values.dtype.kind == "i" else x
            out[int(place)] = moved, missing
        return out


def _knots(drawn: np.ndarray, seen: np.ndarray) -> np.ndarray | None:
    """Return quantiles of both distributions, or None where there is nothing to map."""
    least = min(len(drawn), len(seen))
    if not least or max(float(np.abs(values).max()) for values in (drawn, seen)) >= EXACT:
        return None
    at = np.linspace(0.0, 1.0, int(np.clip(least // ROWS_A_KNOT, 2, KNOTS)))
    return np.stack([_quantiles(drawn, at), _quantiles(seen, at)])


def _known(column: pd.Series) -> np.ndarray:
    return column.dropna().to_numpy(np.float64)


def _quantiles(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return quantiles that are values themselves, so that atoms stay atoms."""
    return np.quantile(values, at, method="inverted_cdf")


def _places(x: np.ndarray, knots: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """Return where each x lies among the knots, in [0, knots - 1].

    An atom of k equal knots holds the k steps around them, half a step on either side; entries
    lie there at random, or all in the middle if there is no `rng`.
    """
    low, high = np.searchsorted(knots, x, "left"), np.searchsorted(knots, x, "right")
    between = np.interp(x, knots, np.arange(float(len(knots))))
    within = low - 0.5 + (high - low) * (0.5 if rng is None else rng.random(len(x)))
    return np.clip(np.where(high - low > 1, within, between), 0.0, len(knots) - 1.0)


def _values(place: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return the values at places among the knots: between two of them, or an atom's own."""
    low = np.minimum(place.astype(np.int64), len(knots) - 2)
    part, a, b = place - low, knots[low], knots[low + 1]
    same = np.diff(knots) == 0
    atom = np.append(same, False) | np.append(False, same)
    # a + (b - a) may lie an ulp beyond b, and so beyond what was seen.
    between = np.minimum(a + (b - a) * part, b)
    return np.where(atom[low] | atom[low + 1], np.where(part < 0.5, a, b), between)
