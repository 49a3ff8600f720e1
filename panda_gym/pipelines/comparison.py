"""Means over seeds and paired differences with 95 % intervals, from tables of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metrics.statistics.intervals import mean_interval
from panda_gym.errors import PipelineError, nearest

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

LEVEL = 0.95
"""Level of the intervals."""


def interval(values: Array) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval by Student's t; three equal numbers for one value."""
    found = mean_interval(values, LEVEL)
    return found.value, found.low, found.high


def compare(table: pd.DataFrame, settings: list[str], measures: list[str]) -> pd.DataFrame:
    """Return a row for each combination of settings and each measure: value, low, high, n."""
    import pandas as pd

    check(table, [*settings, *measures])
    rows = []
    groups = table.groupby(settings, sort=False, dropna=False) if settings else [((), table)]
    for key, part in groups:
        names = dict(zip(settings, key if isinstance(key, tuple) else (key,), strict=True))
        for measure in measures:
            value, low, high = interval(part[measure].to_numpy())
            rows.append({**names, "measure": measure, "value": value, "low": low, "high": high,
                         "n": int(part[measure].notna().sum())})  # fmt: skip
    return pd.DataFrame(rows)


def paired(
    table: pd.DataFrame, setting: str, first: object, second: object, measure: str
) -> tuple[float, float, float]:
    """Return the mean and 95 % interval of `second` minus `first`, paired by seed."""
    check(table, [setting, measure, "seed"])
    sides = [table[table[setting] == v].set_index("seed")[measure] for v in (first, second)]
    both = sides[0].index.intersection(sides[1].index)
    if len(both) == 0:
        raise PipelineError(f"seeds with both {first} and {second}", "none", "run both")
    return interval((sides[1].loc[both] - sides[0].loc[both]).to_numpy())


def check(table: pd.DataFrame, columns: list[str]) -> None:
    """Raise PipelineError that names the column nearest to a missing one."""
    for name in columns:
        if name not in table.columns:
            raise PipelineError("a column of the results", repr(name), nearest(name, table.columns))
