"""Means with 95 % intervals over seeds, and differences in pairs; knows tables, no simulation."""

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
    """Mean and its 95 % interval by Student's t; all three alike for a single value."""
    found = mean_interval(values, LEVEL)
    return found.value, found.low, found.high


def compare(table: pd.DataFrame, settings: list[str], measures: list[str]) -> pd.DataFrame:
    """A row for each combination of settings and measure: value, low, high, n."""
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
    """Mean and 95 % interval of `second` minus `first`, run by run on the same seed."""
    check(table, [setting, measure, "seed"])
    sides = [table[table[setting] == v].set_index("seed")[measure] for v in (first, second)]
    both = sides[0].index.intersection(sides[1].index)
    if len(both) == 0:
        raise PipelineError(f"seeds with both {first} and {second}", "none", "run both")
    return interval((sides[1].loc[both] - sides[0].loc[both]).to_numpy())


def check(table: pd.DataFrame, columns: list[str]) -> None:
    """PipelineError names the nearest column of one that is not there."""
    for name in columns:
        if name not in table.columns:
            raise PipelineError("a column of the results", repr(name), nearest(name, table.columns))
