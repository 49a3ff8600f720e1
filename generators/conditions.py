"""Check, encode and write back the columns that the caller of `sample` fixes.

`Conditions` checks what was asked for, encodes it block by block as `EncodedConditions`, and
writes the exact values back into the rows. `nearest_rows` finds, among rows drawn without
conditions, those that come closest to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.special import ndtr

from generators.encoding.codecs import CalendarCodec, CategoryCodec
from generators.encoding.encoder import Encoder
from generators.encoding.schema import Column
from generators.errors import GeneratorError, nearest

BALANCE = 5
"""Stream of random numbers of the levels drawn evenly; others are in `generators.base`."""
PARTS = {"D": 1, "h": 0}
"""Periods that a datetime may be fixed to, and how many of its last tokens they leave open."""


@dataclass(frozen=True)
class EncodedConditions:
    """Conditions on a block of rows, as tokens and numbers."""

    tokens: np.ndarray
    """int32[n, C], of which those of `token_mask` count."""
    token_mask: np.ndarray
    """bool[C], which tokens are fixed."""
    numbers: np.ndarray
    """float32[n, D], of which those of `number_mask` count."""
    number_mask: np.ndarray
    """bool[n, D], which numbers are fixed."""

    def over(self, tokens: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return tokens [n, C] and numbers [n, D] with the fixed ones in their places."""
        return (
            np.where(self.token_mask, self.tokens, tokens),
            np.where(self.number_mask, self.numbers, numbers),
        )


@dataclass(frozen=True)
class Conditions:
    """Columns that the caller fixes, n entries each."""

    columns: dict[int, pd.Series]
    """Place of a column in the table -> its entries, in the column's own dtype."""
    parts: dict[int, int]
    """Place of a datetime fixed to periods -> how many of its last tokens stay open."""

    @classmethod
    def of(cls, conditions: Any, n: int, encoder: Encoder) -> Conditions | None:
        """Return what is fixed of n rows, None for nothing; refuse what cannot be met."""
        columns: dict[int, pd.Series] = {}
        parts: dict[int, int] = {}
        known = {column.name: i for i, column in enumerate(encoder.schema.columns)}
        for name, entries in _items(conditions, n):
            if name not in known:
                raise GeneratorError(
                    "conditions on columns of the fitted table",
                    f"{name!r}",
                    nearest(str(name), known),
                )
            place = known[name]
            column, codec = encoder.schema.columns[place], encoder.codecs[place]
            series = _series(name, entries, n)
            open_parts = _open_parts(column, codec, series)
            if open_parts is not None:
                parts[place] = open_parts
                series = pd.Series(pd.PeriodIndex(series).start_time)
            columns[place] = _checked(column, codec, series, open_parts)
        return cls(columns, parts) if columns else None

    def pooled(self, encoder: Encoder) -> list[str]:
        """Return a text for each column with levels that share the bucket of rare ones."""
        texts = []
        for place, series in self.columns.items():
            column, codec = encoder.schema.columns[place], encoder.codecs[place]
            if isinstance(codec, CategoryCodec) and len(codec.rare) > 1:
                codes, missing = column.values(series)
                asked = np.unique(codes[~missing])
                rare = asked[np.isin(asked, codec.rare)]
                texts += [_pooled(column, codec, rare)] if len(rare) else []
        return texts

    def block(
        self, encoder: Encoder, start: int, size: int, rng: np.random.Generator
    ) -> EncodedConditions:
        """Return the condition of rows start to start + size; past the end, the last one's."""
        columns = encoder.schema.columns
        owner = np.array(encoder.token_columns, np.int64)
        gaussian = [i for i, codec in enumerate(encoder.codecs) if codec.gaussian]
        tokens = np.zeros((size, len(owner)), np.int32)
        token_mask = np.zeros(len(owner), bool)
        numbers = np.zeros((size, len(gaussian)), np.float32)
        number_mask = np.zeros((size, len(gaussian)), bool)
        for place, series in self.columns.items():
            codec = encoder.codecs[place]
            rows = np.minimum(start + np.arange(size), len(series) - 1)
            values = columns[place].values(series.iloc[rows])
            drawn, number = codec.encode(*values, rng)
            free = np.flatnonzero(np.array(codec.cards) > 1)
            own = np.flatnonzero(owner == place)
            tokens[:, own] = drawn[:, free]
            token_mask[own] = free < len(codec.cards) - self.parts.get(place, 0)
            if codec.gaussian:
                numbers[:, gaussian.index(place)] = number
                number_mask[:, gaussian.index(place)] = True
        gates = [tokens[:, g] == 0 if g >= 0 else np.ones(size, bool) for g in encoder.gates]
        there = np.stack(gates, axis=1) if gates else number_mask
        return EncodedConditions(tokens, token_mask, numbers, number_mask & there)

    def write(self, table: pd.DataFrame, start: int, encoder: Encoder) -> pd.DataFrame:
        """Return the table with the fixed entries in their columns, as they were passed."""
        for place, series in self.columns.items():
            if place not in self.parts:
                rows = np.minimum(start + np.arange(len(table)), len(series) - 1)
                values = series.iloc[rows].reset_index(drop=True)
                table[encoder.schema.columns[place].name] = values
        return table


def balanced(
    conditions: Any, balance: str | None, n: int, seed: int, block: int, encoder: Encoder
) -> Any:
    """Return the conditions with a column `balance`, whose levels are drawn evenly."""
    if balance is None:
        return conditions
    taken = [] if conditions is None else list(conditions)
    codecs: dict[str, Any] = {
        c.name: k for c, k in zip(encoder.schema.columns, encoder.codecs, strict=True)
    }
    open_columns = [k for k, c in codecs.items() if isinstance(c, CategoryCodec) and k not in taken]
    if balance not in open_columns:
        raise GeneratorError(
            "the name of a category without a condition, to balance",
            f"{balance!r}",
            nearest(str(balance), open_columns) if open_columns else "leave balance out",
        )
    place = list(codecs).index(balance)
    levels = np.array(encoder.schema.columns[place].levels, object)
    seen = levels[np.flatnonzero(codecs[balance].counts)]
    if not len(seen):
        return conditions
    rngs = (np.random.default_rng([seed, BALANCE, i]) for i in range(-(-n // block)))
    drawn = [seen[rng.integers(len(seen), size=block)] for rng in rngs]
    entries = np.concatenate(drawn)[:n] if drawn else np.empty(0, object)
    return {**({} if conditions is None else dict(conditions)), balance: entries}


def nearest_rows(
    tokens: np.ndarray,
    numbers: np.ndarray,
    condition: EncodedConditions,
    rng: np.random.Generator,
    near: int = 16,
) -> np.ndarray:
    """Return for each row of the condition the index of a row [m, C], [m, D] close to it.

    Closest are rows with the fewest tokens that differ, and among them the `near` with the least
    distance between the fixed numbers' ranks; one of these is drawn.
    """
    wanted, pool = condition.tokens[:, condition.token_mask], tokens[:, condition.token_mask]
    which, lot = np.zeros(len(wanted), np.int64), rng.random(len(wanted))
    asked, group = np.unique(
        np.concatenate([wanted, condition.number_mask], axis=1), axis=0, return_inverse=True
    )
    for g, row in enumerate(asked):
        members, mask = np.flatnonzero(group.reshape(-1) == g), row[wanted.shape[1] :].astype(bool)
        differ = (pool != row[: wanted.shape[1]]).sum(axis=1)
        candidates = np.flatnonzero(differ == differ.min())
        if not mask.any():
            which[members] = candidates[(lot[members] * len(candidates)).astype(np.int64)]
            continue
        askers, own = np.unique(
            ndtr(condition.numbers[members][:, mask]), axis=0, return_inverse=True
        )
        few = min(near, len(candidates))
        tree = cKDTree(ndtr(numbers[candidates][:, mask]))
        found = tree.query(askers, few, p=1)[1].reshape(len(askers), few)
        which[members] = candidates[found[own.reshape(-1), (lot[members] * few).astype(np.int64)]]
    return which


def _items(conditions: Any, n: int) -> list[tuple[Any, Any]]:
    if conditions is None:
        return []
    if isinstance(conditions, pd.DataFrame):
        if len(conditions) != n:
            raise GeneratorError(
                f"conditions on {n} rows",
                f"{len(conditions)} rows",
                f"pass sample({len(conditions)}, ...)",
            )
        return [(name, conditions[name]) for name in conditions.columns]
    if isinstance(conditions, Mapping):
        return list(conditions.items())
    raise GeneratorError(
        "conditions as a mapping or a DataFrame",
        type(conditions).__name__,
        "pass for example conditions={'kind': 'a'}",
    )


def _series(name: str, entries: Any, n: int) -> pd.Series:
    """Return n entries (one where n is 0, so that they are checked all the same)."""
    scalar = isinstance(entries, str | bytes | pd.Period) or np.ndim(entries) == 0
    if scalar:
        return pd.Series([entries] * max(n, 1))
    series = pd.Series(entries).reset_index(drop=True)
    if len(series) != n:
        raise GeneratorError(
            f"one entry or {n} for the condition on {name!r}",
            f"{len(series)}",
            f"pass sample({len(series)}, ...) or as many entries as rows",
        )
    return series


def _open_parts(column: Column, codec: Any, series: pd.Series) -> int | None:
    """Return how many tokens of a datetime fixed to periods stay open, None for no periods."""
    if not isinstance(series.dtype, pd.PeriodDtype):
        return None
    unit = series.dtype.freq.freqstr
    if not isinstance(codec, CalendarCodec) or unit not in PARTS:
        raise GeneratorError(
            f"periods of a day or an hour, where {column.name!r} is a datetime with a calendar",
            f"periods of {unit!r} in a column of kind {column.kind}",
            "pass timestamps, or pandas.Period(..., freq='D') where days are tokens",
        )
    return PARTS[unit]


def _checked(column: Column, codec: Any, series: pd.Series, open_parts: int | None) -> pd.Series:
    """Return the entries in the column's dtype; refuse those that the fit cannot have seen."""
    entries = _converted(column, series)
    values, missing = column.values(entries)
    if missing.any() and not codec.absent:
        raise GeneratorError(
            f"no missing entry for the condition on {column.name!r}, which had none at fit",
            f"{int(missing.sum())} missing",
            "pass values",
        )
    if isinstance(codec, CategoryCodec):
        _check_levels(column, codec, values[~missing])
    if open_parts is not None:
        _check_days(column, codec, values, open_parts)
    return entries


def _converted(column: Column, series: pd.Series) -> pd.Series:
    try:
        if column.kind == "category":
            dtype = pd.CategoricalDtype(list(column.levels), ordered=column.ordered)
            plain = series.astype(object)
            unseen = plain[~plain.isin(list(column.levels)) & plain.notna()]
            if len(unseen):
                _refuse_level(column.name, unseen.iloc[0], column.levels)
            return column.series(pd.Categorical(plain, dtype=dtype).codes, plain.isna().to_numpy())
        if column.kind == "datetime":
            return pd.to_datetime(series).astype(column.dtype)
        converted = pd.to_numeric(series)
        whole = converted.astype("Int64" if column.kind == "integer" else "float64")
        return whole if whole.isna().any() else whole.astype(column.dtype)
    except GeneratorError:
        raise
    except (ValueError, TypeError, OverflowError) as fault:
        raise GeneratorError(
            f"entries of dtype {column.dtype} for the condition on {column.name!r}",
            f"{fault}",
            "convert them first",
        ) from fault


def _pooled(column: Column, codec: CategoryCodec, rare: np.ndarray) -> str:
    names = ", ".join(repr(column.levels[i]) for i in rare[:3]) + (", ..." if len(rare) > 3 else "")
    return (
        f"the level {names} of {column.name!r} was seen fewer than min_count={codec.min_count} "
        f"times and is pooled with {len(codec.rare) - 1} other rare levels: the rows carry it, "
        "and their other columns follow the pool; fit with a lower min_count to learn it alone"
    )


def _check_levels(column: Column, codec: CategoryCodec, codes: np.ndarray) -> None:
    unseen = codes[codec.counts[codes] == 0]
    if len(unseen):
        seen = [column.levels[i] for i in np.flatnonzero(codec.counts)]
        _refuse_level(column.name, column.levels[unseen[0]], seen)


def _refuse_level(name: str, level: Any, seen: Any) -> None:
    raise GeneratorError(
        f"levels of the condition on {name!r} that were seen at fit",
        f"{level!r}",
        nearest(str(level), [str(s) for s in seen]),
    )


def _check_days(column: Column, codec: Any, starts: np.ndarray, open_parts: int) -> None:
    length = codec.hour * (24 if open_parts else 1)
    first, last = codec.line.v[0], codec.line.v[-1]
    slot = starts // (24 * codec.hour) // codec.slot * codec.slot
    good = np.isin(slot, codec.days) & (starts + length > first) & (starts <= last)
    if not good.all():
        bad = starts[~good][:1].view(column.dtype)[0]
        raise GeneratorError(
            f"days of the condition on {column.name!r} that were seen at fit",
            f"{bad}",
            "pass a day of the fitted table",
        )
