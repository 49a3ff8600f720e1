"""Small tables for the tests of generators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st


def mixed_table(n: int, seed: int = 0) -> pd.DataFrame:
    """Return n rows drawn from a small graph: links, atoms, ties, a hard rule, rare levels."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(5, n, p=[0.5, 0.3, 0.15, 0.049, 0.001])
    place = np.where(rng.random(n) < 0.7, kind, rng.integers(0, 12, n))
    day = rng.integers(0, 30, n)
    hour = np.clip(rng.normal(13, 4, n), 0, 23).astype(int)
    when = (day * 24 + hour) * 3600 + rng.integers(0, 3600, n)
    files = np.where(rng.random(n) < 0.2, 0, rng.geometric(1 / (2 + 3 * kind)))
    size = np.round(files * rng.lognormal(20, 0.3, n))
    cost = np.exp(5 + 0.7 * kind + 0.3 * np.log1p(files) + rng.normal(0, 0.5, n))
    return pd.DataFrame(
        {
            "when": np.datetime64("2024-03-01", "s") + when,
            "kind": pd.Categorical.from_codes(kind, [f"k{i}" for i in range(6)]),
            "place": pd.Categorical.from_codes(place, [f"p{i}" for i in range(12)]),
            "files": pd.array(files, dtype="Int64"),
            "size": pd.array(size.astype(np.int64), dtype="Int64"),
            "cost": cost,
        }
    )


def same_dtypes(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Return whether columns, dtypes and levels (with their order) are equal."""
    levels = all(
        list(a[c].cat.categories) == list(b[c].cat.categories)
        for c in a.columns
        if isinstance(a[c].dtype, pd.CategoricalDtype)
    )
    return list(a.columns) == list(b.columns) and list(a.dtypes) == list(b.dtypes) and levels


@st.composite
def hostile_column(draw: st.DrawFn, n: int) -> pd.Series:
    """Draw a column of n entries: constant, tied, huge, missing, one value a row, unused levels."""
    kind = draw(st.sampled_from(["category", "Int64", "int64", "float64", "datetime64[s]"]))
    missing = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    if kind == "category":
        codes = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
        codes = np.where(missing, -1, codes)
        return pd.Series(pd.Categorical.from_codes(codes, list("abcde"), ordered=draw(_FLAG)))
    if kind == "float64":
        number: Any = st.floats(allow_nan=True, allow_infinity=False) | st.sampled_from([0.0, 1.5])
        return pd.Series(draw(st.lists(number, min_size=n, max_size=n)), dtype="float64")
    bound = 2**63 - 1 if kind != "datetime64[s]" else 8_000_000_000
    number = st.integers(-bound, bound) | st.sampled_from([0, 1, 7])
    values = np.array(draw(st.lists(number, min_size=n, max_size=n)), dtype=np.int64)
    if kind == "datetime64[s]":
        series = pd.Series(values.view("datetime64[s]"))
        series[np.array(missing)] = pd.NaT
        return series
    series = pd.Series(values).astype(kind)
    if kind == "Int64":
        series[np.array(missing)] = pd.NA
    return series


_FLAG = st.booleans()


@st.composite
def hostile_table(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a table of 1 to 30 rows and 1 to 4 hostile columns."""
    n = draw(st.integers(1, 30))
    columns = draw(st.lists(hostile_column(n), min_size=1, max_size=4))
    return pd.DataFrame({f"c{i}": column for i, column in enumerate(columns)})
