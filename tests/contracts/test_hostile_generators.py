"""Every registered generator on the tables that break the usual ones: a correct result or one
clear error; never a missing value that was not there, never a hang."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from generators.errors import GeneratorError
from tests.contracts.test_generators import NAMES, create
from tests.generators.tables import mixed_table, same_dtypes

RNG = np.random.default_rng(0)


def categories(codes: np.ndarray, levels: int) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, [f"l{i}" for i in range(levels)])


HOSTILE: dict[str, Callable[[], pd.DataFrame]] = {
    "all missing": lambda: pd.DataFrame(
        {
            "number": pd.Series([np.nan] * 50),
            "whole": pd.array([pd.NA] * 50, dtype="Int64"),
            "kind": pd.Categorical([None] * 50, categories=["a", "b"]),
            "when": pd.Series([pd.NaT] * 50).astype("datetime64[s]"),
            "x": np.arange(50.0),
        }
    ),
    "only missing": lambda: pd.DataFrame({"number": pd.Series([np.nan] * 50)}),
    "constant": lambda: pd.DataFrame(
        {"a": 3.5, "b": 7, "c": pd.Categorical(["same"] * 40), "d": pd.Timestamp(2024, 2, 29)}
    ),
    "one value a row": lambda: pd.DataFrame(
        {"id": categories(np.arange(300), 300), "n": np.arange(300), "x": RNG.normal(size=300)}
    ),
    "a hundred thousand levels": lambda: pd.DataFrame(
        {
            "user": categories(RNG.integers(0, 100_000, 1500), 100_000),
            "x": RNG.lognormal(0, 3, 1500),
        }
    ),
    "many levels seen often": lambda: pd.DataFrame(
        {"site": categories(np.repeat(np.arange(200), 10), 200), "x": RNG.normal(size=2000)}
    ),
    "heavy tail": lambda: pd.DataFrame({"x": np.exp(RNG.normal(0, 100, 300)), "y": 1.7e308}),
    "three rows": lambda: mixed_table(3),
    "one row": lambda: mixed_table(1),
    "one column of numbers": lambda: pd.DataFrame({"x": RNG.normal(size=200)}),
    "one column of levels": lambda: pd.DataFrame({"k": categories(RNG.integers(0, 3, 200), 3)}),
    "only numbers": lambda: mixed_table(300)[["files", "size", "cost"]],
    "only categories": lambda: mixed_table(300)[["kind", "place"]],
    "ties": lambda: pd.DataFrame({"x": np.repeat([0.0, 1.0, 1.5], 100), "y": np.tile([3, 4], 150)}),
    "almost all missing": lambda: pd.DataFrame({"x": [1.0, *[np.nan] * 299], "y": np.arange(300)}),
}

REFUSED: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {
    "infinite": (lambda: pd.DataFrame({"x": [1.0, np.inf, 2.0]}), "finite numbers"),
    "mixed types": (lambda: pd.DataFrame({"x": [1, "a", None]}, dtype=object), "as category"),
    "mixed levels": (lambda: pd.DataFrame({"x": pd.Categorical([1, "a"])}), "levels all text"),
    "no rows": (lambda: mixed_table(5).iloc[:0], "at least one row"),
    "no columns": (lambda: pd.DataFrame(index=range(3)), "one column"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_table_returns_with_its_types_bounds_and_gaps(name: str, case: str) -> None:
    table = HOSTILE[case]()
    drawn = create(name).fit(table, seed=1).sample(120, seed=2)
    assert len(drawn) == 120
    assert same_dtypes(drawn, table)
    for column in table.columns:
        old, new = table[column], drawn[column]
        if old.isna().all():
            assert new.isna().all()
            continue
        if not old.isna().any():
            assert not new.isna().any()
        if isinstance(old.dtype, pd.CategoricalDtype):
            assert set(new.dropna()) <= set(old.dropna())
        else:
            assert new.dropna().between(old.min(), old.max()).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_cannot_be_learnt_is_one_clear_error(name: str, case: str) -> None:
    make, needed = REFUSED[case]
    with pytest.raises(GeneratorError, match=needed):
        create(name).fit(make())
