"""Parse tables into arrays of numbers and category codes.

A table is parsed once, here. Numbers (integers, floats, times) become float64 with NaN for
"missing", times being seconds since 1970; categories (categories, text, booleans) become codes
into levels that all tables of one study share, "missing" being a level of its own. Rows are put
in a canonical order, so that no score depends on the order in which they came.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from metrics.errors import MetricError

MISSING = "(missing)"
"""The level that stands for a category's missing value."""
LITERAL = "\\"
"""Put before a real level that reads like `MISSING`, so that both are levels of their own."""
LARGEST = 1e100
"""Largest size of a number: squares and their sums must stay finite."""


@dataclass(frozen=True)
class Schema:
    """What the tables of one study have in common."""

    numbers: tuple[str, ...]
    """Names of the number columns, times among them, in table order."""
    categories: tuple[str, ...]
    """Names of the category columns, in table order."""
    times: frozenset[str]
    """Names of the number columns that are times (seconds since 1970)."""
    integers: frozenset[str]
    """Names of the number columns that hold whole numbers."""
    levels: Mapping[str, tuple[str, ...]]
    """Levels of each category column, sorted; a code is a position here."""
    order: tuple[str, ...]
    """All column names in table order."""
    dtypes: Mapping[str, Any]
    """The dtype of each column in the leading table."""
    labels: Mapping[str, Any] = field(default_factory=dict)
    """The label of each column in the leading table, of which its name is the text."""


@dataclass(frozen=True)
class Sample:
    """Rows of a table: n rows, d numbers, c categories."""

    schema: Schema
    """Columns and levels."""
    numbers: np.ndarray
    """float64[n, d], NaN where missing."""
    codes: np.ndarray
    """int32[n, c], positions in the schema's levels."""
    groups: np.ndarray | None = None
    """int64[n], which rows belong together by the group column, or None where none was named."""

    def __len__(self) -> int:
        return len(self.numbers)

    def number(self, name: str) -> np.ndarray:
        """Return one number column, float64[n]."""
        return self.numbers[:, self.schema.numbers.index(name)]

    def category(self, name: str) -> np.ndarray:
        """Return one category column's codes, int32[n]."""
        return self.codes[:, self.schema.categories.index(name)]

    def take(self, rows: np.ndarray) -> Sample:
        """Return the rows at these positions."""
        groups = None if self.groups is None else self.groups[rows]
        return Sample(self.schema, self.numbers[rows], self.codes[rows], groups)

    def draw(self, n: int, rng: np.random.Generator) -> Sample:
        """Return n rows drawn without replacement, or all of them if there are no more."""
        if n >= len(self):
            return self
        return self.take(np.sort(rng.choice(len(self), size=n, replace=False)))


def read(
    tables: Mapping[str, pd.DataFrame], group: str | None = None, *, canonical: bool = True
) -> dict[str, Sample]:
    """Parse tables that must have the same columns and kinds; the first one leads.

    `tables` maps a word for messages ("train") to a DataFrame. `group` names a column that says
    which rows belong together (a task): it is set apart and no metric sees it as a column. Rows
    are put in a canonical order unless `canonical` is False. Names are the text of the labels.
    Raises `MetricError` for anything but non-empty DataFrames with equal column names and kinds.
    """
    for word, table in tables.items():
        _check_table(word, table)
    labels = {str(label): label for label in next(iter(tables.values())).columns}
    tables = {word: _named(table) for word, table in tables.items()}
    groups = {word: _groups(word, table, group) for word, table in tables.items()}
    if group is not None:
        tables = {word: table.drop(columns=group) for word, table in tables.items()}
    (lead, first), *others = tables.items()
    kinds = {str(name): _kind(lead, first[name]) for name in first.columns}
    for word, table in others:
        _check_same(lead, kinds, word, table)
    schema = _schema(kinds, tables.values(), first, labels)
    samples = {word: _sample(table, schema, groups[word]) for word, table in tables.items()}
    return {word: _canonical(sample) for word, sample in samples.items()} if canonical else samples


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text for column names."""
    names = [*map(str, table.columns)]
    return table if names == [*table.columns] else table.set_axis(names, axis=1)


def frame(sample: Sample) -> pd.DataFrame:
    """Return the rows as a table of the leading table's columns and dtypes, without the group.

    Whole numbers beyond 2^53 and parts of a microsecond are rounded.
    """
    schema, columns = sample.schema, {}
    for name in schema.order:
        dtype = schema.dtypes[name]
        if name in schema.levels:
            columns[name] = _labels(sample.category(name), schema.levels[name], dtype)
        elif name in schema.times:
            stamps = pd.to_datetime(sample.number(name), unit="s", utc=True)
            zone = getattr(dtype, "tz", None)
            columns[name] = stamps.tz_convert(zone).astype(dtype)
        else:
            columns[name] = pd.array(sample.number(name)).astype(dtype)
    return pd.DataFrame(columns).rename(columns=dict(schema.labels))


def digest(sample: Sample) -> str:
    """Return the SHA-256 of a table's content, whatever the order of its rows and columns."""
    schema, sha = sample.schema, hashlib.sha256()
    numbers, categories = sorted(schema.numbers), sorted(schema.categories)
    columns = [sample.number(name) for name in numbers]
    used: dict[str, list[str]] = {}
    for name in categories:
        present, codes = np.unique(sample.category(name), return_inverse=True)
        used[name] = [schema.levels[name][code] for code in present]
        columns.append(codes.astype(np.float64))
    header: dict[str, Any] = {"numbers": numbers, "levels": used, "rows": len(sample)}
    if sample.groups is not None:
        header["grouped"] = True
        columns.append(sample.groups.astype(np.float64))
    sha.update(json.dumps(header, sort_keys=True).encode())
    order = np.lexsort(columns[::-1])
    for column in columns:
        sha.update(np.ascontiguousarray(column[order], dtype="<f8").tobytes())
    return sha.hexdigest()


def fingerprint(sample: Sample) -> str:
    """Return the SHA-256 of rows as they lie: levels, codes and numbers in their order.

    Quicker than `digest`, and other codes or another order of the rows give another hash.
    """
    schema = sample.schema
    header = {"numbers": schema.numbers, "levels": list(schema.levels.items())}
    sha = hashlib.sha256(json.dumps(header).encode())
    for array in (sample.numbers, sample.codes):
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def table_sha256(table: pd.DataFrame, group: str | None = None) -> str:
    """Return the SHA-256 of a table's content, as a certificate states it (see `digest`).

    Of a `group` column it counts which rows belong together and in what order, not its values.
    """
    return digest(read({"table": table}, group)["table"])


def _groups(word: str, table: pd.DataFrame, group: str | None) -> np.ndarray | None:
    """Return a number for each row's group, int64[n], the same for rows of one group."""
    if group is None:
        return None
    if group not in table.columns:
        known = ", ".join(map(str, table.columns))
        raise MetricError(f"a group column {group!r} in {word}", known, "name a column it has")
    if table[group].isna().any():
        came = f"{int(table[group].isna().sum())} missing ones"
        raise MetricError(f"a group in every row of {word}", came, "fill or drop those rows")
    return np.asarray(pd.factorize(table[group], sort=True)[0], dtype=np.int64)


def _check_table(word: str, table: object) -> None:
    if not isinstance(table, pd.DataFrame):
        raise MetricError(f"{word} as a pandas DataFrame", type(table).__name__, "pass a table")
    if not len(table) or not len(table.columns):
        came = f"{len(table)} rows and {len(table.columns)} columns"
        raise MetricError(f"rows and columns in {word}", came, "pass a table with data in it")
    names = pd.Index([*map(str, table.columns)])
    if not names.is_unique:
        twice = sorted(set(names[names.duplicated()]))
        needed = f"column names in {word} that differ as text"
        raise MetricError(needed, f"twice: {twice}", "rename them")


def _check_same(lead: str, kinds: Mapping[str, str], word: str, table: pd.DataFrame) -> None:
    names = {str(name) for name in table.columns}
    if names != set(kinds):
        missing, extra = sorted(set(kinds) - names), sorted(names - set(kinds))
        came = f"missing {missing}, extra {extra}"
        raise MetricError(f"the columns of {lead} in {word}", came, "give all tables the same")
    for name in table.columns:
        kind = _kind(word, table[name])
        if kind != kinds[str(name)]:
            raise MetricError(
                f"column {name!r} of {word} to be a {kinds[str(name)]} as in {lead}",
                f"a {kind} (dtype {table[name].dtype})",
                "convert it to the same dtype",
            )


def _kind(word: str, column: pd.Series) -> str:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        kind = "category"
    elif pd.api.types.is_datetime64_any_dtype(dtype):
        kind = "time"
    elif pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        kind = "number"
    elif pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype):
        kind = "category"
    else:
        raise MetricError(
            f"numbers, times or categories in column {column.name!r} of {word}",
            f"dtype {dtype}",
            "convert or drop the column",
        )
    if column.isna().all():
        raise MetricError(
            f"values in column {column.name!r} of {word}", "only missing ones", "drop the column"
        )
    return kind


def _schema(
    kinds: Mapping[str, str],
    tables: Iterable[pd.DataFrame],
    first: pd.DataFrame,
    labels: Mapping[str, Any],
) -> Schema:
    categories = tuple(name for name, kind in kinds.items() if kind == "category")
    numbers = tuple(name for name, kind in kinds.items() if kind != "category")
    tables = list(tables)
    return Schema(
        numbers=numbers,
        categories=categories,
        times=frozenset(name for name, kind in kinds.items() if kind == "time"),
        integers=frozenset(n for n in numbers if pd.api.types.is_integer_dtype(first[n].dtype)),
        levels={name: _levels(table[name] for table in tables) for name in categories},
        order=tuple(kinds),
        dtypes={name: first[name].dtype for name in kinds},
        labels={name: labels[name] for name in kinds},
    )


def _levels(columns: Iterable[pd.Series]) -> tuple[str, ...]:
    found: set[str] = set()
    for column in columns:
        values = [v for v in column.unique() if not pd.isna(v)]
        own = {_level(v) for v in values}
        if len(own) < len(values):
            came = ", ".join(sorted({repr(v) for v in values})[:4])
            needed = f"levels of column {column.name!r} that differ as text"
            raise MetricError(needed, came, "make them all text or all numbers")
        found.update(own)
        if column.isna().any():
            found.add(MISSING)
    return tuple(sorted(found))


def _level(value: Any) -> str:
    """Return the text of a level; one that reads like `MISSING` is marked as a real one."""
    text = str(value)
    return LITERAL + text if text.lstrip(LITERAL) == MISSING else text


def _sample(table: pd.DataFrame, schema: Schema, groups: np.ndarray | None) -> Sample:
    numbers = np.empty((len(table), len(schema.numbers)))
    for i, name in enumerate(schema.numbers):
        numbers[:, i] = _seconds(table[name]) if name in schema.times else _floats(table[name])
    codes = np.empty((len(table), len(schema.categories)), dtype=np.int32)
    for i, name in enumerate(schema.categories):
        codes[:, i] = _codes(table[name], schema.levels[name])
    return Sample(schema, numbers, codes, groups)


def _floats(column: pd.Series) -> np.ndarray:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0  # -0.0 becomes 0.0
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    if largest > LARGEST:
        needed = f"numbers up to {LARGEST:g} in column {column.name!r}"
        came = "an infinity" if np.isinf(largest) else f"{largest:g}"
        raise MetricError(needed, came, "remove those rows, or use a larger unit")
    return values


def _seconds(column: pd.Series) -> np.ndarray:
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    ticks = column.to_numpy().astype("datetime64[ns]")
    seconds = ticks.astype(np.int64) / 1e9
    seconds[np.isnat(ticks)] = np.nan
    return seconds


def _codes(column: pd.Series, levels: Sequence[str]) -> np.ndarray:
    place = {level: code for code, level in enumerate(levels)}
    if isinstance(column.dtype, pd.CategoricalDtype):
        own = column.cat.codes.to_numpy()
        names = [_level(v) for v in column.cat.categories]
    else:
        own, uniques = pd.factorize(column)
        names = [_level(v) for v in uniques]
    # A level that no row uses has no place; a missing value has own code -1, the last entry.
    lookup = np.array([place.get(name, -1) for name in [*names, MISSING]], dtype=np.int32)
    return lookup[own]


def _labels(codes: np.ndarray, levels: Sequence[str], dtype: Any) -> Any:
    """Return codes as values of the leading column's dtype, "missing" as a missing value."""
    known = dtype.categories if isinstance(dtype, pd.CategoricalDtype) else []
    values = {_level(value): value for value in known}
    if pd.api.types.is_bool_dtype(dtype):
        values = {"True": True, "False": False}
    labels = [None if level == MISSING else values.get(level, _text(level)) for level in levels]
    column = pd.Series(labels, dtype=object).take(codes).reset_index(drop=True)
    if isinstance(dtype, pd.CategoricalDtype):
        new = [level for level in labels if level is not None and _level(level) not in values]
        return pd.Categorical(column, categories=[*known, *new], ordered=False)
    return column.astype(dtype)


def _text(level: str) -> str:
    """Return the text that `_level` marked, without its mark."""
    return level[len(LITERAL) :] if level.lstrip(LITERAL) == MISSING else level


def _canonical(sample: Sample) -> Sample:
    """Return the rows in order of their numbers, then codes, then groups."""
    last = [] if sample.groups is None else [sample.groups]
    return sample.take(np.lexsort([*last, *sample.codes.T[::-1], *sample.numbers.T[::-1]]))
