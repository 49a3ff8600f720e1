"""Read exports of PanDA's job table from files, without any personal column.

Only the columns listed in `layout` are read, by name, from a CSV, gzip CSV or Parquet file.
Dataset names are parsed into project, production step and data type as soon as they are read, and
then dropped: what a user chose inside `user.NAME...` or `group.NAME...` reaches no table.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from csv import reader as csv_rows
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from panda_gym.errors import RecordsError
from panda_gym.records import layout
from panda_gym.records.columns import check_table, kept_columns
from panda_gym.records.datasets import parse_datasets
from panda_gym.records.funnel import apply_funnel
from panda_gym.records.times import parse_times
from panda_gym.schema import CATEGORIES, NAMES
from panda_gym.sites import Platform

_DAMAGE: Final = (OSError, EOFError, ValueError, zlib.error, pa.ArrowException)
_SEPARATORS: Final = ",\t;|"
_MISSING: Final = ("", "NULL", "null", "None", "none", "NaN", "nan", "NA", "N/A", "<NA>", "\\N")
_LONGEST_HEADER: Final = 1 << 20


def load_records(
    path: str | Path, keep: Sequence[str] = (), *, platform: Platform | None = None
) -> pd.DataFrame:
    """Read a file of job records into the nine columns.

    A raw export goes through the funnel (`apply_funnel`), whose counts stand in
    `attrs["funnel"]`. Its workload needs the CPU time, and the core power of each job's site from
    `platform`; sites that this does not know get its median power and are counted. Empty or zero
    `corecount` means one core. A file that already has the nine columns is checked
    (`check_table`) and otherwise taken as it is.

    Args:
        path: CSV, gzip CSV or Parquet, told apart by content; names as in PanDA's job table, in
            any case, or a usual alias (`layout.ALIASES`); a dataset name in one of
            `layout.DATASET`, or its fields `project`, `prodstep`, `datatype`.
        keep: extra columns: `corecount`, `cpuconsumptiontime`, `jeditaskid`.
        platform: sites and their core power; `atlas150` by default.

    Returns:
        The nine columns (and `keep`) with the dtypes of `check_table`, in the order of the file.
        `attrs["origin"]` says where they came from.

    Raises:
        RecordsError: no such file, a damaged or empty one, missing columns, values of the wrong
            type, negative sizes, or no row that passes the funnel.
    """
    extras = [column.name for column in kept_columns(keep)]
    raw = read_export(path)
    if not all(name in raw.columns for name in NAMES):
        return apply_funnel(raw, keep, platform)[0]
    wanted = [*NAMES, *(name for name in extras if name in raw.columns)]
    return check_table(raw[wanted], extras)


def read_export(path: str | Path) -> pd.DataFrame:
    """Read the impersonal columns of an export, unfiltered.

    Returns:
        Columns of `layout.ALIASES` that the file has, under those names: times datetime64[s],
        text category, numbers Int64 (float64 where not whole); `project`, `prodstep` and
        `datatype` from the dataset name. `attrs["origin"]` says where they came from.

    Raises:
        RecordsError: as for `load_records`.
    """
    path = Path(path)
    if not path.is_file():
        raise RecordsError(f"a file {path.name}", "no such file", "check the path")
    with open(path, "rb") as file:
        magic = file.read(4)
    if not magic:
        raise RecordsError(
            "a file of job records", f"{path.name}, which is empty", "export it again"
        )
    try:
        read = _read_parquet if magic == b"PAR1" else _read_csv
        table, origin = read(path, gzipped=magic[:2] == b"\x1f\x8b")
    except RecordsError:
        raise
    except _DAMAGE as error:
        needed = "a readable CSV, gzip CSV or Parquet file"
        came = f"{path.name}, damaged ({type(error).__name__})"
        raise RecordsError(needed, came, "export or copy it again") from None
    if not len(table):
        raise RecordsError("at least one job record", f"no rows in {path.name}", "export it again")
    raw = _typed(table)
    raw.attrs["origin"] = origin or f"job records read from {path.name}"
    return raw


def _read_parquet(path: Path, gzipped: bool) -> tuple[pd.DataFrame, str]:
    with pq.ParquetFile(path) as file:
        columns = _columns(file.schema_arrow.names, path)
        arrow = file.read(columns=list(columns.values()))
        origin = (file.schema_arrow.metadata or {}).get(b"origin", b"").decode("utf-8", "replace")
    table = arrow.replace_schema_metadata(None).to_pandas()
    return _renamed(table, columns), origin


def _read_csv(path: Path, gzipped: bool) -> tuple[pd.DataFrame, str]:
    """Read every column as text.

    A row with more or fewer fields than the header is an error, since a shifted row could carry a
    person's name into another column.
    """
    header, separator = _header(path, gzipped)
    columns = _columns(header, path)
    sources = list(columns.values())
    with pa.input_stream(path, compression="gzip" if gzipped else None) as stream:
        arrow = csv.read_csv(
            stream,
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                include_columns=sources,
                column_types=dict.fromkeys(sources, pa.string()),
                null_values=list(_MISSING),
                strings_can_be_null=True,
            ),
        )
    return _renamed(arrow.to_pandas(), columns), ""


def _header(path: Path, gzipped: bool) -> tuple[list[str], str]:
    """Return the names of the columns and the separator."""
    with gzip.open(path, "rb") if gzipped else open(path, "rb") as file:
        line = b""
        while not line.strip():
            line = file.readline(_LONGEST_HEADER)
            if not line:
                return [], ","
    text = line.decode("utf-8-sig").rstrip("\r\n")
    separator = max(_SEPARATORS, key=text.count)
    return next(csv_rows([text], delimiter=separator)), separator


def _columns(header: Sequence[str], path: Path) -> dict[str, str]:
    columns = layout.chosen_columns(header)
    if len(columns) < 2:
        raise RecordsError(
            "column names of PanDA's job table, such as creationtime, computingsite, jobstatus",
            f"{path.name} with {len(header)} other columns",
            "export the table with its header",
        )
    return columns


def _renamed(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: table[source] for name, source in columns.items()})


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Convert each column, and put the fields of dataset names in place of the names."""
    typed: dict[str, Any] = {}
    for name in layout.ALIASES:
        if name in table.columns:
            values = table[name].reset_index(drop=True)
            typed[name] = _CONVERT[name](values)
    sources = [table[name].reset_index(drop=True) for name in layout.DATASET if name in table]
    if sources and not all(field in typed for field in CATEGORIES):
        typed.update(_dataset_fields(sources))
    if "project" in typed:
        typed["project"] = _without_owner(typed["project"])
    return pd.DataFrame(typed)


def _dataset_fields(sources: Sequence[pd.Series]) -> dict[str, pd.Series]:
    """Return the fields of the first source that has a name, row by row."""
    names = sources[0].astype(object)
    for other in sources[1:]:
        names = names.where(names.notna(), other.astype(object))
    fields = parse_datasets(names)
    return {field: fields[field] for field in CATEGORIES}


def _without_owner(values: pd.Series) -> pd.Series:
    """Reduce user.NAME and group.NAME in a project column to `user` and `group`."""
    levels = pd.Series(values.cat.categories.astype(str), dtype="str")
    public = levels.str.replace(r"^(user|group)\..*", r"\1", regex=True)
    if public.equals(levels):
        return values
    return values.map(dict(zip(levels, public, strict=True))).astype("category")


def _text(values: pd.Series) -> pd.Series:
    values = values.astype("category")
    levels = pd.Series(values.cat.categories.astype(str), dtype="str")
    trimmed = levels.str.strip()
    if values.name == "jobstatus":
        trimmed = trimmed.str.lower()
    trimmed = trimmed.where(trimmed != "")
    codes, found = pd.factorize(trimmed)
    return pd.Series(pd.Categorical.from_codes(np.append(codes, -1)[values.cat.codes], found))


def _numbers(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = int((numbers.isna() & values.notna()).sum())
    if wrong or pd.api.types.is_bool_dtype(values.dtype):
        came = f"other values in {wrong or len(values)} rows"
        raise RecordsError(f"numbers in {values.name}", came, "correct the export")
    if values.name in ("ninputdatafiles", "inputfilebytes") and (numbers < 0).any():
        came = f"{int((numbers < 0).sum())} rows below zero"
        raise RecordsError(f"{values.name} of at least 0", came, "drop or correct those rows")
    if pd.api.types.is_integer_dtype(numbers.dtype):
        return numbers.astype("Int64")
    numbers = numbers.astype("float64").replace([np.inf, -np.inf], np.nan)
    whole = values.name != "workload" and (numbers.dropna() % 1 == 0).all()
    return numbers.astype("Int64") if whole else numbers


_CONVERT: Final = {
    **dict.fromkeys(layout.TIMES, parse_times),
    **dict.fromkeys(layout.TEXTS, _text),
    **dict.fromkeys(layout.NUMBERS, _numbers),
}
