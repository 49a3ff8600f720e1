"""Parse times in the formats of exports."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from panda_gym.errors import RecordsError

FORMATS: Final = (
    "ISO8601",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d-%b-%y %H.%M.%S",
    "%d-%b-%y %H.%M.%S.%f",
    "%d-%b-%y %I.%M.%S.%f %p",
    "%d-%b-%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
)
"""Tried in this order. A column has one format: that which fits most of its rows, so that a day
above 12 tells day/month from month/day; where both fit, month comes first, as in PanDA's own
spreadsheet exports."""

_EPOCH_UNITS: Final = ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (np.inf, "ns"))
"""Numbers below a limit are counted in this unit from 1970."""


def parse_times(values: pd.Series) -> pd.Series:
    """Return times as naive UTC datetime64[s].

    Text may be in any of `FORMATS`, or hold numbers; numbers count from 1970. A time zone is
    converted, its absence read as UTC. A single text that does not fit the format of the others
    becomes a missing value.

    Raises:
        RecordsError: no text fits any format, or the values are neither text, times nor numbers.
    """
    if pd.api.types.is_bool_dtype(values.dtype):
        raise _unreadable(values)
    if pd.api.types.is_numeric_dtype(values.dtype):
        values = _from_epoch(values)
    elif not pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = _from_text(values)
    if values.dt.tz is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    return values.astype("datetime64[s]")


def _from_epoch(values: pd.Series) -> pd.Series:
    typical = float(values.abs().median()) if values.notna().any() else 0.0
    unit = next(unit for limit, unit in _EPOCH_UNITS if typical < limit)
    parsed = pd.to_datetime(values, unit=unit, errors="coerce")
    if values.notna().any() and (parsed.notna().sum() == 0 or parsed.min().year < 1990):
        raise _unreadable(values)
    return parsed


def _from_text(values: pd.Series) -> pd.Series:
    present = int(values.notna().sum())
    text = values.astype("str").str.strip().where(values.notna())
    best, most = None, 0
    numbers = pd.to_numeric(text, errors="coerce")
    for form in FORMATS:
        parsed = pd.to_datetime(text, format=form, errors="coerce", utc=True)
        fitted = int(parsed.notna().sum())
        if fitted > most or best is None:
            best, most = parsed, fitted
        if most == present:
            break
    if present and numbers.notna().sum() > most:
        return _from_epoch(numbers)
    if present and not most:
        raise _unreadable(values)
    assert best is not None
    return best


def _unreadable(values: pd.Series) -> RecordsError:
    example = values.dropna().iloc[0] if values.notna().any() else None
    return RecordsError(
        f"times in {values.name}, for example 2024-01-31 13:24:05",
        f"{type(example).__name__} values in no known format",
        "write them as ISO 8601 or as seconds since 1970",
    )
