"""What the asker of rows has fixed, column by column; knows columns and codecs, never a model.

`Given` checks what was asked for, encodes it block by block as a `Condition`, and writes the very
values back into the rows. `nearest` finds among rows drawn without a condition those that come
closest to it.
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
"""Periods that a datetime may be given as, and how many of its last tokens they leave open."""


@dataclass(frozen=True)
class Condition:
    """What is known of a block of rows."""

    tokens: np.ndarray
    """int32[n, C], of which those of `known` count."""
    known: np.ndarray
    """bool[C], which tokens are given."""
    numbers: np.ndarray
    """float32[n, D], of which those of `seen` count."""
    seen: np.ndarray
    """bool[n, D], which numbers are given."""

    def over(self, tokens: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return tokens and numbers with those that are known in their places."""
        return (
            np.where(self.known, self.tokens, tokens),
            np.where(self.seen, self.numbers, numbers),
        )


@dataclass(frozen=True)
class Given:
    """Columns fixed by the asker, n entries each."""

    columns: dict[int, pd.Series]
    """Place of a column in the table -> its entries, in the column's own dtype."""
    parts: dict[int, int]
    """Place of a datetime given as periods -> how many of its last tokens stay open."""

    @classmethod
    def of(cls, given: Any, n: int, encoder: Encoder) -> Given | None:
        """Return what is fixed of n rows, None for nothing; refuse what cannot be met."""
        columns: dict[int, pd.Series] = {}
        parts: dict[int, int] = {}
        known = {column.name: i for i, column in enumerate(encoder.schema.columns)}
        for name, entries in _items(given, n):
            if name not in known:
                raise GeneratorError(
                    "given columns of the fitted table",
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

    def block(self, encoder: Encoder, start: int, size: int, rng: np.random.Generator) -> Condition:
        """Return the condition of rows start to start + size; past the end, the last one's."""
        columns = encoder.schema.columns
        owner = np.array(encoder.token_columns, np.int64)
        gaussian = [i for i, codec in enumerate(encoder.codecs) if codec.gaussian]
        tokens = np.zeros((size, len(owner)), np.int32)
        known = np.zeros(len(owner), bool)
        numbers = np.zeros((size, len(gaussian)), np.float32)
        seen = np.zeros((size, len(gaussian)), bool)
        for place, series in self.columns.items():
            codec = encoder.codecs[place]
            rows = np.minimum(start + np.arange(size), len(series) - 1)
            values = columns[place].values(series.iloc[rows])
            drawn, number = codec.encode(*values, rng)
            free = np.flatnonzero(np.array(codec.cards) > 1)
            own = np.flatnonzero(owner == place)
            tokens[:, own] = drawn[:, free]
            known[own] = free < len(codec.cards) - self.parts.get(place, 0)
            if codec.gaussian:
                numbers[:, gaussian.index(place)] = number
                seen[:, gaussian.index(place)] = True
        gates = [tokens[:, g] == 0 if g >= 0 else np.ones(size, bool) for g in encoder.gates]
        there = np.stack(gates, axis=1) if gates else seen
        return Condition(tokens, known, numbers, seen & there)

    def write(self, table: pd.DataFrame, start: int, encoder: Encoder) -> pd.DataFrame:
        """Return the table with the given entries in their columns, as they were given."""
        for place, series in self.columns.items():
            if place not in self.parts:
                rows = np.minimum(start + np.arange(len(table)), len(series) - 1)
                values = series.iloc[rows].reset_index(drop=True)
                table[encoder.schema.columns[place].name] = values
        return table


def balanced(
    given: Any, balance: str | None, n: int, seed: int, block: int, encoder: Encoder
) -> Any:
    """Return the given columns with that of `balance`, its levels drawn evenly block by block."""
    if balance is None:
        return given
    taken = [] if given is None else list(given)
    codecs: dict[str, Any] = {
        c.name: k for c, k in zip(encoder.schema.columns, encoder.codecs, strict=True)
    }
    open_columns = [k for k, c in codecs.items() if isinstance(c, CategoryCodec) and k not in taken]
    if balance not in open_columns:
        raise GeneratorError(
            "the name of a category that is not given, to balance",
            f"{balance!r}",
            nearest(str(balance), open_columns) if open_columns else "leave balance out",
        )
    place = list(codecs).index(balance)
    levels = np.array(encoder.schema.columns[place].levels, object)
    seen = levels[np.flatnonzero(codecs[balance].counts)]
    if not len(seen):
        return given
    rngs = (np.random.default_rng([seed, BALANCE, i]) for i in range(-(-n // block)))
    drawn = [seen[rng.integers(len(seen), size=block)] for rng in rngs]
    entries = np.concatenate(drawn)[:n] if drawn else np.empty(0, object)
    return {**({} if given is None else dict(given)), balance: entries}


def nearest_rows(
    tokens: np.ndarray,
    numbers: np.ndarray,
    condition: Condition,
    rng: np.random.Generator,
    near: int = 16,
) -> np.ndarray:
    """Return for each row of the condition the index of a row [m, C], [m, D] close to it.

    Closest are rows with the fewest tokens that differ, and among them the `near` with the least
    distance between the given numbers' ranks; one of these is drawn.
    """
    wanted, pool = condition.tokens[:, condition.known], tokens[:, condition.known]
    which, lot = np.zeros(len(wanted), np.int64), rng.random(len(wanted))
    asked, group = np.unique(
        np.concatenate([wanted, condition.seen], axis=1), axis=0, return_inverse=True
    )
    for g, row in enumerate(asked):
        members, seen = np.flatnonzero(group.reshape(-1) == g), row[wanted.shape[1] :].astype(bool)
        differ = (pool != row[: wanted.shape[1]]).sum(axis=1)
        candidates = np.flatnonzero(differ == differ.min())
        if not seen.any():
            which[members] = candidates[(lot[members] * len(candidates)).astype(np.int64)]
            continue
        askers, own = np.unique(
            ndtr(condition.numbers[members][:, seen]), axis=0, return_inverse=True
        )
        few = min(near, len(candidates))
        tree = cKDTree(ndtr(numbers[candidates][:, seen]))
        found = tree.query(askers, few, p=1)[1].reshape(len(askers), few)
        which[members] = candidates[found[own.reshape(-1), (lot[members] * few).astype(np.int64)]]
    return which


def _items(given: Any, n: int) -> list[tuple[Any, Any]]:
    if given is None:
        return []
    if isinstance(given, pd.DataFrame):
        if len(given) != n:
            raise GeneratorError(
                f"given columns of {n} rows",
                f"{len(given)} rows",
                f"pass sample({len(given)}, ...)",
            )
        return [(name, given[name]) for name in given.columns]
    if isinstance(given, Mapping):
        return list(given.items())
    raise GeneratorError(
        "given columns as a mapping or a DataFrame",
        type(given).__name__,
        "pass for example given={'kind': 'a'}",
    )


def _series(name: str, entries: Any, n: int) -> pd.Series:
    """Return n entries (one where n is 0, so that they are checked all the same)."""
    scalar = isinstance(entries, str | bytes | pd.Period) or np.ndim(entries) == 0
    if scalar:
        return pd.Series([entries] * max(n, 1))
    series = pd.Series(entries).reset_index(drop=True)
    if len(series) != n:
        raise GeneratorError(
            f"one entry or {n} for the given column {name!r}",
            f"{len(series)}",
            f"pass sample({len(series)}, ...) or as many entries as rows",
        )
    return series


def _open_parts(column: Column, codec: Any, series: pd.Series) -> int | None:
    """Return how many tokens of a datetime given as periods stay open, None for no periods."""
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
            f"no missing entry for the given column {column.name!r}, which had none at fit",
            f"{int(missing.sum())} missing",
            "give values",
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
            f"entries of dtype {column.dtype} for the given column {column.name!r}",
            f"{fault}",
            "convert them first",
        ) from fault


def _check_levels(column: Column, codec: CategoryCodec, codes: np.ndarray) -> None:
    unseen = codes[codec.counts[codes] == 0]
    if len(unseen):
        seen = [column.levels[i] for i in np.flatnonzero(codec.counts)]
        _refuse_level(column.name, column.levels[unseen[0]], seen)


def _refuse_level(name: str, level: Any, seen: Any) -> None:
    raise GeneratorError(
        f"levels of the given column {name!r} that were seen at fit",
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
            f"days of the given column {column.name!r} that were seen at fit",
            f"{bad}",
            "give a day of the fitted table",
        )
