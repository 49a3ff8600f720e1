"""Read exports of PanDA's job table from files, without any personal column.

Only the columns listed in `layout` are read, by name, from a CSV, gzip CSV or Parquet file.
Dataset names are parsed into project, production step and data type as soon as they are read, and
then dropped: what a user chose inside `user.NAME...` or `group.NAME...` reaches no table.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from csv import reader as csv_rows
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from panda_gym.errors import RecordsError
from panda_gym.reading import Reading, announce
from panda_gym.records import layout
from panda_gym.records.columns import check_table, kept_columns
from panda_gym.records.datasets import parse_datasets
from panda_gym.records.funnel import apply_funnel, with_requests
from panda_gym.records.times import parse_times
from panda_gym.schema import CATEGORIES, NAMES
from panda_gym.sites import Platform

_DAMAGE: Final = (OSError, EOFError, ValueError, zlib.error, pa.ArrowException)
_SEPARATORS: Final = ",\t;|"
_MISSING: Final = ("", "NULL", "null", "None", "none", "NaN", "nan", "NA", "N/A", "<NA>", "\\N")
_LONGEST_HEADER: Final = 1 << 20


def load_records(
    path: str | Path,
    keep: Sequence[str] = (),
    *,
    optional: Sequence[str] = (),
    platform: Platform | None = None,
    paper_formula: bool = False,
) -> pd.DataFrame:
    """Read a file of job records into the nine columns.

    A raw export goes through the funnel (`apply_funnel`), whose counts stand in
    `attrs["funnel"]`. Its workload is core-seconds (see `apply_funnel`) times the core power of
    each job's site from `platform`; sites that this does not know get its median power and are
    counted. Empty or zero `corecount` means one core. A file that already has the nine columns is
    checked (`check_table`) and otherwise taken as it is.

    One line of what was read, dropped and assumed goes to the logger `panda_gym` and stands in
    `attrs["reading"]`.

    Args:
        path: CSV, gzip CSV or Parquet, told apart by content; names as in PanDA's job table, in
            any case, or a usual alias (`layout.ALIASES`); a dataset name in one of
            `layout.DATASET`, or its fields `project`, `prodstep`, `datatype`.
        keep: extra columns: `corecount`, `cpuconsumptiontime`, `jeditaskid`, `maxwalltime`.
        optional: of these, columns to keep where the file has them.
        platform: sites and their core power; `atlas150` by default.
        paper_formula: multiply the CPU time by the cores, see `apply_funnel`.

    Returns:
        The nine columns (and `keep`) with the dtypes of `check_table`, in the order of the file.
        `attrs["origin"]` says where they came from.

    Raises:
        RecordsError: no such file, a damaged or empty one, missing columns, values of the wrong
            type, negative sizes, or no row that passes the funnel.
    """
    raw = _read(Path(path))
    there = [column.name for column in kept_columns(optional) if column.name in raw.columns]
    extras = [column.name for column in kept_columns([*_names(keep), *there])]
    notes, whole = raw.attrs.get("notes", {}), all(name in raw.columns for name in NAMES)
    if whole:
        wanted = [*NAMES, *(name for name in extras if name in raw.columns)]
        table, dropped = check_table(with_requests(raw[wanted], notes), extras), {}
    else:
        table, funnel = apply_funnel(raw, extras, platform, paper_formula=paper_formula)
        dropped, notes = funnel.dropped, funnel.notes
    reading = Reading(Path(path).name, "rows", len(raw), len(table), dropped, notes)
    table.attrs = {k: v for k, v in table.attrs.items() if k != "notes"}
    table.attrs["reading"] = str(announce(reading))
    return table


def read_export(path: str | Path) -> pd.DataFrame:
    """Read the impersonal columns of an export, unfiltered.

    Returns:
        Columns of `layout.ALIASES` that the file has, under those names: times datetime64[s],
        text category, numbers Int64 (float64 where not whole); `project`, `prodstep` and
        `datatype` from the dataset name. `attrs["origin"]` says where they came from.

    Raises:
        RecordsError: as for `load_records`.
    """
    raw = _read(Path(path))
    notes = raw.attrs.get("notes", {})
    announce(Reading(Path(path).name, "rows", len(raw), len(raw), {}, notes))
    return raw


def _names(keep: Sequence[str]) -> list[str]:
    return [keep] if isinstance(keep, str) else list(keep)


def _read(path: Path) -> pd.DataFrame:
    """Read an export; `attrs["notes"]` counts what was assumed."""
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
        table, origin, joined = read(path, gzipped=magic[:2] == b"\x1f\x8b")
    except RecordsError:
        raise
    except _DAMAGE as error:
        needed = "a readable CSV, gzip CSV or Parquet file"
        came = f"{path.name}, damaged ({type(error).__name__})"
        raise RecordsError(needed, came, "export or copy it again") from None
    if not len(table):
        raise RecordsError("at least one job record", f"no rows in {path.name}", "export it again")
    raw, unreadable = _typed(table)
    raw.attrs["origin"] = origin or f"job records read from {path.name}"
    notes = {"lines joined by a quoted value": joined, **unreadable, **_repeated(raw)}
    if any(notes.values()):
        raw.attrs["notes"] = {name: n for name, n in notes.items() if n}
    return raw


def _repeated(raw: pd.DataFrame) -> dict[str, int]:
    """Count the rows whose pandaid stands in an earlier row; they are kept."""
    if "pandaid" not in raw.columns:
        return {}
    known = raw["pandaid"].dropna()
    return {"pandaid of an earlier row, kept": int(known.duplicated().sum())}


def _read_parquet(path: Path, gzipped: bool) -> tuple[pd.DataFrame, str, int]:
    with pq.ParquetFile(path) as file:
        columns = _columns(file.schema_arrow.names, path)
        arrow = file.read(columns=list(columns.values()))
        origin = (file.schema_arrow.metadata or {}).get(b"origin", b"").decode("utf-8", "replace")
    table = _plain(arrow, path).replace_schema_metadata(None).to_pandas()
    return _renamed(table, columns), origin, 0


def _plain(arrow: pa.Table, path: Path) -> pa.Table:
    """Return binary columns as text; refuse columns of lists, maps and structs."""
    for i, field in enumerate(arrow.schema):
        if pa.types.is_nested(field.type):
            needed = f"one value a row in column {field.name} of {path.name}"
            raise RecordsError(needed, f"values of type {field.type}", "flatten the column")
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            arrow = arrow.set_column(i, field.name, arrow.column(i).cast(pa.string()))
    return arrow


def _read_csv(path: Path, gzipped: bool) -> tuple[pd.DataFrame, str, int]:
    """Read every column as text.

    A row with more or fewer fields than the header is an error, since a shifted row could carry a
    person's name into another column.
    """
    header, separator = _header(path, gzipped)
    columns = _columns(header, path)
    sources = list(columns.values())
    with _opened(path, gzipped) as stream:
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
    _check_lines(arrow, path)
    joined = max(_lines(path, gzipped) - 1 - arrow.num_rows, 0)
    return _renamed(arrow.to_pandas(), columns), "", joined


def _opened(path: Path, gzipped: bool) -> Any:
    """Open a CSV for pyarrow; lines that end in CR alone are given LF instead."""
    with gzip.open(path, "rb") if gzipped else open(path, "rb") as file:
        start = file.read(_LONGEST_HEADER)
        if b"\r" in start and b"\n" not in start:
            return pa.BufferReader((start + file.read()).replace(b"\r", b"\n"))
    return pa.input_stream(path, compression="gzip" if gzipped else None)


def _lines(path: Path, gzipped: bool) -> int:
    """Count the lines of a CSV that are not blank."""
    with _opened(path, gzipped) as stream:
        return sum(1 for line in io.BufferedReader(stream) if line.strip())


def _check_lines(arrow: pa.Table, path: Path) -> None:
    """Refuse a value that spans lines in a column that is read: a quote was not closed."""
    for name in arrow.column_names:
        broken = pc.fill_null(pc.match_substring(arrow.column(name), "\n"), False)
        row = pc.index(broken, True).as_py()
        if row >= 0:
            raise RecordsError(
                f"values of one line in column {name} of {path.name}",
                f"one over several lines in row {row + 1}",
                "close the quote that opens there",
            )


def _header(path: Path, gzipped: bool) -> tuple[list[str], str]:
    """Return the names of the columns and the separator."""
    with _opened(path, gzipped) as stream:
        file, line = io.BufferedReader(stream), b""
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


def _typed(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Convert each column, and put the fields of dataset names in place of the names.

    Also returns how many times could not be read, by column.
    """
    typed: dict[str, Any] = {}
    unreadable: dict[str, int] = {}
    for name in layout.ALIASES:
        if name in table.columns:
            values = table[name].reset_index(drop=True)
            typed[name] = _CONVERT[name](values)
            if name in layout.TIMES:
                lost = int((values.notna() & typed[name].isna()).sum())
                unreadable[f"{name} that cannot be read, taken as missing"] = lost
    sources = [table[name].reset_index(drop=True) for name in layout.DATASET if name in table]
    if sources and not all(field in typed for field in CATEGORIES):
        typed.update(_dataset_fields(sources))
    if "project" in typed:
        typed["project"] = _without_owner(typed["project"])
    return pd.DataFrame(typed), unreadable


def _optional_times(values: pd.Series) -> pd.Series:
    """Return times; a column that holds none counts as missing."""
    try:
        return parse_times(values)
    except RecordsError:
        return pd.Series(np.full(len(values), np.datetime64("NaT", "s")), name=values.name)


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
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        values = values.dt.total_seconds().rename(values.name)
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = int((numbers.isna() & values.notna()).sum())
    if wrong or pd.api.types.is_bool_dtype(values.dtype):
        came = f"other values in {wrong or len(values)} rows"
        raise RecordsError(f"numbers in {values.name}", came, "correct the export")
    if values.name in ("ninputdatafiles", "inputfilebytes") and (numbers < 0).any():
        came = f"{int((numbers < 0).sum())} rows below zero"
        raise RecordsError(f"{values.name} of at least 0", came, "drop or correct those rows")
    if pd.api.types.is_integer_dtype(numbers.dtype):
        _check_size(numbers)
        return numbers.astype("Int64")
    numbers = numbers.astype("float64").replace([np.inf, -np.inf], np.nan)
    whole = values.name != "workload" and (numbers.dropna() % 1 == 0).all()
    if whole:
        _check_size(numbers)
    return numbers.astype("Int64") if whole else numbers


def _check_size(numbers: pd.Series) -> None:
    """Refuse whole numbers beyond 64 bits with a sign."""
    known = numbers.dropna()
    if len(known) and (known.max() >= 2**63 or known.min() < -(2**63)):
        worst = known.max() if known.max() >= 2**63 else known.min()
        needed = f"whole numbers below 2^63 in {numbers.name}"
        raise RecordsError(needed, f"{worst}", "correct the export")


_CONVERT: Final = {
    **dict.fromkeys(layout.TIMES, parse_times),
    **dict.fromkeys(layout.OPTIONAL_TIMES, _optional_times),
    **dict.fromkeys(layout.TEXTS, _text),
    **dict.fromkeys(layout.NUMBERS, _numbers),
}
