"""Read the table of a comparison: the reference workload, a CSV file or a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panda_gym.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

SEEN_AS_MISSING = ("", "?", "NA", "NaN", "nan", "null", "None")
"""Entries of a text file that mean "missing"."""
LEAST_ROWS = 100
"""Rows below which there is nothing to compare."""


@dataclass(frozen=True)
class Source:
    """One real table and what is asked of it."""

    table: pd.DataFrame
    """The rows; dtypes are the schema (category, Int64, float64, datetime64)."""
    origin: str
    """One sentence on where the rows come from."""
    target: str
    """What a model learns to predict: a positive number (its logarithm) or a category."""
    time: str | None
    """The column that orders rows in time, if any."""

    @property
    def classes(self) -> bool:
        """Whether the target is a category."""
        import pandas as pd

        return isinstance(self.table[self.target].dtype, pd.CategoricalDtype)


def from_reference(rows: int, seed: int) -> Source:
    """Return so many rows of the reference workload (a stand-in, not PanDA data)."""
    from panda_gym.records import reference_records

    table = reference_records(rows, seed=seed)
    origin = str(table.attrs.get("origin", "reference workload"))
    return Source(table, origin, "workload", "creationtime")


def read_back(path: Path) -> pd.DataFrame:
    """Return a table of `to_parquet` with its own units of time.

    Parquet has no whole seconds and gives milliseconds, which a generator would then make up; the
    units stand in the file's notes for pandas.
    """
    import pandas as pd
    from pyarrow.parquet import read_schema

    notes = (read_schema(path).pandas_metadata or {}).get("columns", [])
    times = {n["name"]: n["numpy_type"] for n in notes if n["pandas_type"] == "datetime"}
    return pd.read_parquet(path).astype(times)


def from_file(
    path: str | Path,
    target: str,
    *,
    time: str | None = None,
    names: Sequence[str] = (),
) -> Source:
    """Return the table of a CSV or Parquet file.

    Args:
        target: the column that a model learns to predict.
        time: a column of dates.
        names: names of the columns of a CSV without a header.

    Raises:
        InputError: for a file that is no such table, or a column that is not there.
    """
    path = Path(path)
    table = _typed(_read(path, list(names)), time)
    for name in (target, time):
        if name is not None and name not in table.columns:
            known = list(table.columns)
            raise InputError(f"a column of {path.name}", repr(name), nearest(str(name), known))
    empty = [name for name in table.columns if table[name].isna().all()]
    if empty:
        came = f"only missing ones in {', '.join(empty)}"
        raise InputError(f"values in every column of {path.name}", came, "drop those columns")
    if len(table) < LEAST_ROWS:
        raise InputError(f"at least {LEAST_ROWS} rows", f"{len(table)}", "pass a longer table")
    source = Source(table, f"The table of {path.name}.", target, time)
    _check_target(source)
    return source


def _check_target(source: Source) -> None:
    column = source.table[source.target]
    if source.classes:
        if column.isna().any() or column.nunique() < 2:
            came = f"{column.nunique()} classes, {int(column.isna().sum())} missing"
            needed = f"at least two classes in {source.target!r} and none missing"
            raise InputError(needed, came, "name another target")
    elif column.dtype.kind == "M" or not (column > 0).fillna(False).all():
        raise InputError(
            f"positive numbers or categories in the target {source.target!r}",
            "others",
            "name another target, or shift it: the logarithm is predicted",
        )


def _read(path: Path, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise InputError("a CSV or Parquet file", f"{path}, which is not there", "name a file")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        head: dict[str, Any] = {"header": None, "names": names} if names else {}
        return pd.read_csv(
            path,
            skipinitialspace=True,
            na_values=list(SEEN_AS_MISSING),
            keep_default_na=False,
            index_col=False,
            **head,
        )
    except (ValueError, OSError) as fault:
        raise InputError(f"a readable table in {path}", f"{fault}", "repair the file") from fault


def _typed(table: pd.DataFrame, time: str | None) -> pd.DataFrame:
    """Return the table with text and truth as categories, whole numbers as Int64."""
    return table.assign(**{name: _column(table[name], name == time) for name in table.columns})


def _column(column: pd.Series, is_time: bool) -> pd.Series:
    import pandas as pd
    from pandas.api import types

    if is_time:
        try:
            dates = pd.to_datetime(column, utc=True, format="ISO8601")
            return dates.dt.tz_localize(None).astype("datetime64[s]")
        except (ValueError, TypeError) as fault:
            raise InputError(
                f"dates in ISO 8601 in {column.name!r}", f"{fault}", "repair them"
            ) from fault
    if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind == "M":
        return column
    if types.is_bool_dtype(column.dtype) or not types.is_numeric_dtype(column.dtype):
        words = column.map(str, na_action="ignore").astype(object)
        return words.astype(pd.CategoricalDtype(sorted(words.dropna().unique())))
    if types.is_integer_dtype(column.dtype):
        return column.astype("Int64")
    return column.astype("float64")
