"""Check a table of job records: the nine columns, their dtypes and their limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from panda_gym.errors import RecordsError, nearest
from panda_gym.schema import COLUMNS, EXTRAS, STATUSES, Column

_KINDS: Final = {
    "time": "times (datetime64, or ISO text)",
    "category": "text",
    "integer": "whole numbers",
    "real": "numbers",
}


def check_table(table: Any, keep: Sequence[str] = ()) -> pd.DataFrame:
    """Return `table` with exactly the nine columns (and `keep`), in order, with their dtypes.

    Args:
        table: DataFrame of job records; columns in any order.
        keep: names from `EXTRAS` that are expected as well.

    Returns:
        A new DataFrame with a fresh index: datetime64[s] (naive UTC), category (levels sorted,
        unused ones dropped; `jobstatus` always has its four), Int64, float64. `attrs` are kept.

    Raises:
        RecordsError: not a DataFrame, no rows, a column missing, extra, of the wrong type, with
            missing values or out of range, or an unknown status.
    """
    wanted = COLUMNS + kept_columns(keep)
    if not isinstance(table, pd.DataFrame):
        raise RecordsError("a pandas DataFrame of job records", type(table).__name__, "convert it")
    _check_names(list(table.columns), [column.name for column in wanted])
    if not len(table):
        raise RecordsError("at least one job record", "an empty table", "pass a table with rows")
    checked = pd.DataFrame(
        {column.name: normalise(table[column.name], column) for column in wanted}
    )
    checked.attrs = dict(table.attrs)
    return checked


def kept_columns(keep: Sequence[str]) -> tuple[Column, ...]:
    """Return the `EXTRAS` named by `keep`, in the order of the schema."""
    known = [column.name for column in EXTRAS]
    names = [keep] if isinstance(keep, str) else list(keep)
    for name in names:
        if name not in known:
            raise RecordsError("names of columns to keep", repr(name), nearest(str(name), known))
    return tuple(column for column in EXTRAS if column.name in names)


def _check_names(came: list[Any], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in came]
    extra = [str(name) for name in came if name not in wanted]
    if missing or extra or len(set(came)) != len(came):
        parts = [f"no {', '.join(missing)}"] if missing else []
        parts += [f"also {', '.join(extra)}"] if extra else []
        raise RecordsError(
            "exactly the columns " + ", ".join(wanted),
            "a table with " + ("; ".join(parts) or "a column twice"),
            "add or drop columns" if extra or missing else "rename one",
        )


def normalise(values: pd.Series, column: Column) -> pd.Series:
    """Return one column's values with the column's dtype, checked; RecordsError if they fail."""
    values = values.reset_index(drop=True)
    missing = int(values.isna().sum())
    if missing:
        do = "drop those rows or fill them in"
        raise RecordsError(f"a value of {column.name} in every row", f"{missing} missing", do)
    converted = _CONVERT[column.kind](values, column)
    if column.low is not None:
        _check_range(converted, column)
    return converted


def _time(values: pd.Series, column: Column) -> pd.Series:
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        if not all(isinstance(value, str) or hasattr(value, "isoformat") for value in values):
            raise _wrong_type(values, column)
        try:
            values = pd.to_datetime(values, format="ISO8601", utc=True)
        except (ValueError, TypeError):
            raise _wrong_type(values, column) from None
    if getattr(values.dt, "tz", None) is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    return values.astype("datetime64[s]")


def _category(values: pd.Series, column: Column) -> pd.Series:
    levels = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else None
    found = values.unique() if levels is None else levels
    if not all(isinstance(value, str) for value in found):
        raise _wrong_type(values, column)
    values = values.astype("category").cat.remove_unused_categories()
    found = values.cat.categories
    if (found.str.strip() == "").any():
        raise RecordsError(f"text in every row of {column.name}", "blank text", "drop those rows")
    if column.name != "jobstatus":
        return values.cat.set_categories(sorted(found), ordered=False)
    unknown = sorted(set(found) - set(STATUSES))
    if unknown:
        raise RecordsError(
            f"jobstatus among {', '.join(STATUSES)}",
            ", ".join(map(repr, unknown[:3])),
            nearest(unknown[0], STATUSES),
        )
    return values.cat.set_categories(list(STATUSES), ordered=False)


def _integer(values: pd.Series, column: Column) -> pd.Series:
    if not _numeric(values):
        raise _wrong_type(values, column)
    if not pd.api.types.is_integer_dtype(values.dtype):
        numbers = values.to_numpy(np.float64)
        if not np.isfinite(numbers).all() or (numbers != np.floor(numbers)).any():
            raise _wrong_type(values, column)
    return values.astype("Int64")


def _real(values: pd.Series, column: Column) -> pd.Series:
    if not _numeric(values):
        raise _wrong_type(values, column)
    numbers = values.astype("float64")
    if not np.isfinite(numbers.to_numpy()).all():
        raise RecordsError(f"finite numbers in {column.name}", "an infinite one", "drop those rows")
    return numbers


def _numeric(values: pd.Series) -> bool:
    kind = pd.api.types
    return kind.is_numeric_dtype(values.dtype) and not kind.is_bool_dtype(values.dtype)


def _check_range(values: pd.Series, column: Column) -> None:
    for limit, edge, beyond in (
        (column.low, values.min(), lambda a, b: a < b),
        (column.high, values.max(), lambda a, b: a > b),
    ):
        if limit is not None and beyond(edge, limit):
            span = f"{column.low:g}" + ("" if column.high is None else f" to {column.high:g}")
            needed = f"{column.name} of at least {span} {column.unit}".rstrip()
            raise RecordsError(needed, f"{edge}", "drop or correct those rows")


def _wrong_type(values: pd.Series, column: Column) -> RecordsError:
    return RecordsError(
        f"{_KINDS[column.kind]} in {column.name}",
        f"{values.dtype} such as {values.iloc[0]!r}",
        "convert the column",
    )


_CONVERT: Final = {"time": _time, "category": _category, "integer": _integer, "real": _real}
