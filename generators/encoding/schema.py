"""The schema of a table: its columns, dtypes and category levels.

Four kinds of column are supported: `category` (levels all text, or all integers), `integer`
(any integer dtype), `number` (any float dtype, finite) and `datetime` (naive datetime64).
Everything else is refused with advice. Values leave and enter as int64 or float64 arrays beside a
mask of missing entries, so that a 64-bit integer or a second is never rounded.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from generators.errors import GeneratorError


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    """Its label."""
    kind: str
    """One of category, integer, number, datetime."""
    dtype: str
    """The dtype's name; for a category, the dtype of its levels."""
    levels: tuple[Any, ...] = ()
    """All levels of a category, in order, whether they occur or not."""
    ordered: bool = False
    """Whether the category's levels are ordered."""

    @classmethod
    def of(cls, series: pd.Series) -> Column:
        """Return the column that describes `series`; refuse dtypes that are not known."""
        name, dtype = str(series.name), series.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            levels = _plain_levels(name, dtype.categories)
            return cls(name, "category", str(dtype.categories.dtype), levels, bool(dtype.ordered))
        if types.is_integer_dtype(dtype):
            return cls(name, "integer", str(dtype))
        if types.is_float_dtype(dtype):
            return cls(name, "number", str(dtype))
        if isinstance(dtype, np.dtype) and dtype.kind == "M":
            return cls(name, "datetime", str(dtype))
        raise GeneratorError(
            f"column {name!r} as category, integer, float or naive datetime64",
            f"dtype {dtype}",
            f"convert it first: table[{name!r}]{_conversion(dtype)}",
        )

    @property
    def ticks_per_hour(self) -> int:
        """How many units of a datetime column make an hour (0 for units above the hour)."""
        hour = np.ones(1, "timedelta64[h]")
        return int((hour // np.ones(1, self.dtype.replace("datetime64", "timedelta64")))[0])

    def values(self, series: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return values (level codes, int64 or float64) and the mask of missing entries, [n]."""
        missing = series.isna().to_numpy(bool)
        if self.kind == "category":
            return series.cat.codes.to_numpy(np.int64), missing
        if self.kind == "number":
            values = series.to_numpy(np.float64, na_value=np.nan)
            self._check_finite(values, missing)
            return np.where(missing, 0.0, values), missing
        if self.kind == "datetime":
            return np.where(missing, 0, series.to_numpy().view(np.int64)), missing
        whole = series.fillna(0).to_numpy() if missing.any() else series.to_numpy()
        if len(whole) and int(whole.max()) > np.iinfo(np.int64).max:
            raise GeneratorError(
                f"integers below 2**63 in column {self.name!r}", "larger ones", "scale them down"
            )
        return whole.astype(np.int64), missing

    def series(self, values: np.ndarray, missing: np.ndarray) -> pd.Series:
        """Return the inverse of `values`: a series of this column's dtype."""
        if self.kind == "category":
            levels = pd.Index(list(self.levels), dtype=self.dtype)
            dtype = pd.CategoricalDtype(levels, ordered=self.ordered)
            codes = np.where(missing, -1, values)
            return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype), name=self.name)
        if self.kind == "datetime":
            ticks = np.where(missing, np.iinfo(np.int64).min, values).astype(np.int64)
            return pd.Series(ticks.view(self.dtype), name=self.name)
        series = pd.Series(values, name=self.name).astype(self.dtype)
        if missing.any():
            series[missing] = pd.NA if self.kind == "integer" else np.nan
        return series

    def _check_finite(self, values: np.ndarray, missing: np.ndarray) -> None:
        if not np.isfinite(values[~missing]).all():
            raise GeneratorError(
                f"finite numbers in column {self.name!r}",
                "infinite ones",
                "drop those rows or mark them as missing (NaN)",
            )


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in order."""

    columns: tuple[Column, ...]
    """One description a column."""

    @classmethod
    def of(cls, table: Any) -> Schema:
        """Return the schema of a table with at least one row and one column, else refuse it."""
        _check_shape(table)
        return cls(tuple(Column.of(table[name]) for name in table.columns))

    def conformed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return another table with this schema's columns, dtypes and levels.

        A level that the schema has not becomes a missing entry. A column that is not there, or of
        another kind, is refused.
        """
        columns = {}
        for column in self.columns:
            if column.name not in table:
                came = f"columns {', '.join(map(str, table.columns))}"
                raise GeneratorError(f"a column {column.name!r}", came, "pass the fitted columns")
            series = table[column.name]
            if column.kind == "category":
                levels = pd.Index(list(column.levels), dtype=column.dtype)
                known = series.astype(object).where(series.isin(levels), None)
                columns[column.name] = pd.Categorical(known, levels, column.ordered)
                continue
            try:
                columns[column.name] = series.astype(column.dtype).array
            except (TypeError, ValueError) as fault:
                needed = f"column {column.name!r} as {column.dtype}"
                raise GeneratorError(needed, f"dtype {series.dtype}", "convert it") from fault
        return pd.DataFrame(columns)

    def values(self, table: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return values and missing mask of each column of a table with this schema."""
        return [column.values(table[column.name]) for column in self.columns]

    def table(self, columns: list[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
        """Return the table that `values` took apart."""
        return pd.DataFrame(
            {c.name: c.series(*data) for c, data in zip(self.columns, columns, strict=True)}
        )

    def to_json(self) -> list[dict[str, Any]]:
        """Return plain data for JSON."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> Schema:
        """Return the schema that `to_json` described."""
        return cls(tuple(Column(**{**c, "levels": tuple(c["levels"])}) for c in data))


TEXT = ".astype('string').astype('category')"
"""Turns any column into a category of texts; missing entries stay missing."""
CONVERSIONS: dict[str, str] = {
    "b": ".astype('Int8')",
    "m": ".dt.total_seconds()",
    "M": ".dt.tz_convert('UTC').dt.tz_localize(None)",
}
"""How a column of an unknown dtype becomes a known one, by the dtype's kind."""


def _conversion(dtype: Any) -> str:
    """Return the method calls that turn a series of this dtype into one that is known."""
    if isinstance(dtype, pd.PeriodDtype):
        return ".dt.to_timestamp()"
    return CONVERSIONS.get(getattr(dtype, "kind", "O"), TEXT)


def _plain_levels(name: str, categories: pd.Index) -> tuple[Any, ...]:
    levels = tuple(c.item() if isinstance(c, np.generic) else c for c in categories)
    kinds = {type(level) for level in levels}
    if not kinds <= {str} and not kinds <= {int}:
        raise GeneratorError(
            f"category {name!r} with levels all text or all integers",
            "levels of " + ", ".join(sorted(kind.__name__ for kind in kinds)),
            f"convert them: table[{name!r}]{TEXT}",
        )
    return levels


def _check_shape(table: Any) -> None:
    if not isinstance(table, pd.DataFrame):
        raise GeneratorError("a pandas DataFrame", type(table).__name__, "pass a DataFrame")
    if not all(isinstance(name, str) for name in table.columns):
        raise GeneratorError("columns named by text", f"{list(table.columns)}", "rename them")
    twice = sorted(set(table.columns[table.columns.duplicated()]))
    if twice:
        raise GeneratorError(
            "columns of different names", "twice or more: " + ", ".join(twice), "rename them"
        )
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise GeneratorError(
            "a table of at least one row and one column",
            f"{table.shape[0]} rows and {table.shape[1]} columns",
            "pass a table with data",
        )
