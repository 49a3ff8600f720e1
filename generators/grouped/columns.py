"""The roles of a table's columns: group, time, and all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from generators.arrivals.arrivals import HOUR_S, MOST_HOURS
from generators.encoding.schema import Column, Schema
from generators.errors import GeneratorError, nearest

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Ticks in a second by the unit of a datetime column."""


@dataclass(frozen=True)
class Columns:
    """The columns of a table by what they are to its groups."""

    schema: Schema
    """All of them, in the table's order."""
    group: str | None
    """The group column, if there is one."""
    time: str | None
    """The time column, if there is one."""

    @classmethod
    def of(
        cls, schema: Schema, table: pd.DataFrame, group: str | None, time: str | None
    ) -> Columns:
        """Return the roles in a table; refuse names and columns that cannot play them."""
        known = {column.name: column for column in schema.columns}
        for role, name in (("group", group), ("time", time)):
            if name is not None and name not in known:
                raise GeneratorError(f"a {role} column", f"{name!r}", nearest(name, known))
        if group is not None and known[group].kind != "integer":
            raise GeneratorError(
                f"a group column of integers ({group!r})",
                f"dtype {known[group].dtype}",
                f"number the groups: table[{group!r}] = pandas.factorize(table[{group!r}])[0]",
            )
        if time is not None:
            _check_time(known[time], table)
        else:
            usable = (c.name for c in schema.columns if _usable(c, table))
            time = next(usable, None)
        return cls(schema, group, time)

    @property
    def rest(self) -> list[str]:
        """Names of the columns that are neither group nor time."""
        return [c.name for c in self.schema.columns if c.name not in (self.group, self.time)]

    @property
    def unit(self) -> int:
        """Ticks of the time column in a second."""
        if self.time is None:
            return 1
        column = next(c for c in self.schema.columns if c.name == self.time)
        return UNITS[_unit(column)]

    def ticks(self, table: pd.DataFrame) -> np.ndarray | None:
        """Return the times, int64[n] in the column's unit, or None."""
        return None if self.time is None else table[self.time].to_numpy().view(np.int64)

    def groups(self, table: pd.DataFrame) -> np.ndarray | None:
        """Return a number from 0 for the group of each row, int64[n], -1 for none; or None."""
        if self.group is None:
            return None
        return np.asarray(pd.factorize(table[self.group])[0], np.int64)


def _unit(column: Column) -> str:
    return column.dtype.removeprefix("datetime64[").rstrip("]")


def _usable(column: Column, table: pd.DataFrame) -> bool:
    """Return whether a column can be the time of a stream, where none was named."""
    if column.kind != "datetime" or _unit(column) not in UNITS or table[column.name].isna().any():
        return False
    ticks = table[column.name].to_numpy().view(np.int64)
    span = (int(ticks.max()) - int(ticks.min())) / UNITS[_unit(column)]
    return 0 < span <= MOST_HOURS * HOUR_S


def _check_time(column: Column, table: pd.DataFrame) -> None:
    if column.kind != "datetime" or _unit(column) not in UNITS:
        raise GeneratorError(
            f"a time column of naive datetime64 in s, ms, us or ns ({column.name!r})",
            f"dtype {column.dtype}",
            "convert it: pandas.to_datetime(...), times in UTC",
        )
    missing = int(table[column.name].isna().sum())
    if missing:
        raise GeneratorError(
            f"a time in every row of {column.name!r}",
            f"{missing} missing",
            "drop those rows or fill them in",
        )
