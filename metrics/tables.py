"""Tables as arrays: knows columns, levels and rows; never what is measured on them.

A table is parsed once, here. Numbers (integers, floats, times) become float64 with NaN for
"missing", times being seconds since 1970; categories (categories, text, booleans) become codes
into levels that all tables of one study share, "missing" being a level of its own. Rows are put
in a canonical order, so that no score depends on the order in which they came.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.errors import MetricError

MISSING = "(missing)"
"""The level that stands for a category's missing value."""


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


@dataclass(frozen=True)
class Sample:
    """Rows of a table: n rows, d numbers, c categories."""

    schema: Schema
    """Columns and levels."""
    numbers: np.ndarray
    """float64[n, d], NaN where missing."""
    codes: np.ndarray
    """int32[n, c], positions in the schema's levels."""

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
        return Sample(self.schema, self.numbers[rows], self.codes[rows])

    def draw(self, n: int, rng: np.random.Generator) -> Sample:
        """Return n rows drawn without replacement, or all of them if there are no more."""
        if n >= len(self):
            return self
        return self.take(np.sort(rng.choice(len(self), size=n, replace=False)))


def read(tables: Mapping[str, pd.DataFrame]) -> dict[str, Sample]:
    """Parse tables that must have the same columns and kinds; the first one leads.

    `tables` maps a word for messages ("train") to a DataFrame. Raises `MetricError` for
    anything but non-empty DataFrames with equal column names and kinds.
    """
    for word, table in tables.items():
        _check_table(word, table)
    (lead, first), *others = tables.items()
    kinds = {str(name): _kind(lead, first[name]) for name in first.columns}
    for word, table in others:
        _check_same(lead, kinds, word, table)
    schema = _schema(kinds, tables.values(), first)
    return {word: _sample(table, schema) for word, table in tables.items()}


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
    header = {"numbers": numbers, "levels": used, "rows": len(sample)}
    sha.update(json.dumps(header, sort_keys=True).encode())
    order = np.lexsort(columns[::-1])
    for column in columns:
        sha.update(np.ascontiguousarray(column[order], dtype="<f8").tobytes())
    return sha.hexdigest()


def table_sha256(table: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's content, as a certificate states it (see `digest`)."""
    return digest(read({"table": table})["table"])


def _check_table(word: str, table: object) -> None:
    if not isinstance(table, pd.DataFrame):
        raise MetricError(f"{word} as a pandas DataFrame", type(table).__name__, "pass a table")
    if not len(table) or not len(table.columns):
        came = f"{len(table)} rows and {len(table.columns)} columns"
        raise MetricError(f"rows and columns in {word}", came, "pass a table with data in it")
    if not table.columns.is_unique:
        twice = sorted({str(c) for c in table.columns[table.columns.duplicated()]})
        raise MetricError(f"unique column names in {word}", f"twice: {twice}", "rename them")


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
    kinds: Mapping[str, str], tables: Iterable[pd.DataFrame], first: pd.DataFrame
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
    )


def _levels(columns: Iterable[pd.Series]) -> tuple[str, ...]:
    found: set[str] = set()
    for column in columns:
        found.update(MISSING if pd.isna(v) else str(v) for v in column.unique())
    return tuple(sorted(found))


def _sample(table: pd.DataFrame, schema: Schema) -> Sample:
    numbers = np.empty((len(table), len(schema.numbers)))
    for i, name in enumerate(schema.numbers):
        numbers[:, i] = _seconds(table[name]) if name in schema.times else _floats(table[name])
    codes = np.empty((len(table), len(schema.categories)), dtype=np.int32)
    for i, name in enumerate(schema.categories):
        codes[:, i] = _codes(table[name], schema.levels[name])
    return Sample(schema, *_canonical(numbers, codes))


def _floats(column: pd.Series) -> np.ndarray:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0  # -0.0 becomes 0.0
    if np.isinf(values).any():
        raise MetricError(
            f"finite numbers in column {column.name!r}", "an infinity", "remove those rows"
        )
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
        names = [str(v) for v in column.cat.categories]
    else:
        own, uniques = pd.factorize(column)
        names = [str(v) for v in uniques]
    # A level that no row uses has no place; a missing value has own code -1, the last entry.
    lookup = np.array([place.get(name, -1) for name in [*names, MISSING]], dtype=np.int32)
    return lookup[own]


def _canonical(numbers: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    columns = [*codes.T[::-1], *numbers.T[::-1]]
    order = np.lexsort(columns)
    return numbers[order], codes[order]
