"""Every registered generator on the tables that break the usual ones: a correct result or one
clear error; never a missing value that was not there, never a hang."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from generators.errors import GeneratorError, GeneratorWarning
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
    "denormals": lambda: pd.DataFrame(
        {"x": 5e-324 * (1 + np.arange(200) % 7), "y": np.linspace(-1e-310, 1e-310, 200)}
    ),
    "a level called missing": lambda: pd.DataFrame(
        {"k": pd.Categorical(["(missing)", "b", None, "(missing)"] * 50), "x": np.arange(200.0)}
    ),
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
    "columns named by numbers": (lambda: pd.DataFrame({0: [1.0], 1: [2.0]}), "named by text"),
    "names that agree as text": (lambda: pd.DataFrame([[1.0, 2.0]], columns=[1, "1"]), "by text"),
    "levels that agree as text": (lambda: pd.DataFrame({"x": pd.Categorical([1, "1"])}), "levels"),
    "no rows": (lambda: mixed_table(5).iloc[:0], "at least one row"),
    "no columns": (lambda: pd.DataFrame(index=range(3)), "one column"),
}


@pytest.mark.filterwarnings("ignore:column .* has another value in every row")
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


ADVISED = {
    "bool": pd.Series([True, False, True]),
    "boolean with gaps": pd.Series([True, None, False], dtype="boolean"),
    "zoned": pd.Series(pd.date_range("2024-01-01", periods=3, tz="Europe/Paris")),
    "text": pd.Series(["a", None, "b"], dtype=object),
    "duration": pd.Series(pd.to_timedelta([1, 2, 3], unit="h")),
    "period": pd.Series(pd.period_range("2024-01", periods=3, freq="M")),
    "levels of booleans": pd.Series(pd.Categorical([True, None, False])),
    "levels of fractions": pd.Series(pd.Categorical([0.5, None, 1.5])),
}


@pytest.mark.parametrize("case", ADVISED)
def test_the_advice_for_a_column_that_is_refused_works(case: str) -> None:
    table = pd.DataFrame({"x": ADVISED[case], "y": [1.0, 2.0, 3.0]})
    with pytest.raises(GeneratorError) as caught:
        create("smote").fit(table)
    code = caught.value.do.partition(": ")[2]
    assert code.startswith("table['x']")
    converted = table.assign(x=eval(code, {"table": table}))  # noqa: S307
    assert list(converted["x"].isna()) == list(table["x"].isna())
    drawn = create("smote").fit(converted).sample(20)
    assert same_dtypes(drawn, converted)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_identifiers_is_warned_of(name: str) -> None:
    table = pd.DataFrame({"user": categories(np.arange(60), 60), "x": RNG.normal(size=60)})
    with pytest.warns(GeneratorWarning, match="'user' has another value in every row"):
        create(name).fit(table)


@pytest.mark.filterwarnings("error")
def test_columns_that_repeat_and_few_rows_are_not_warned_of() -> None:
    create("smote").fit(mixed_table(200))
    create("smote").fit(pd.DataFrame({"n": np.arange(30)}))
    create("smote").fit(pd.DataFrame({"x": np.linspace(0, 1, 100)}))
    create("smote").fit(pd.DataFrame({"bytes": 10**9 + 10**8 * np.arange(100)}))


def test_the_group_column_is_no_identifier_but_others_are() -> None:
    table = pd.DataFrame({"task": np.arange(80), "job": np.arange(80), "x": RNG.normal(size=80)})
    with pytest.warns(GeneratorWarning) as caught:
        create("grouped", group="task").fit(table)
    assert [str(w.message).split(" has ")[0] for w in caught] == ["column 'job'"]


def test_a_condition_on_a_pooled_level_says_so() -> None:
    kinds = ["often"] * 100 + ["rare"] * 3 + ["rarer"] * 2
    table = pd.DataFrame({"k": pd.Categorical(kinds), "x": RNG.normal(size=105)})
    model = create("autoregressive").fit(table)
    text = r"level 'rare' of 'k' was seen fewer than min_count=10 times and is pooled with 1 other"
    with pytest.warns(GeneratorWarning, match=text):
        drawn = model.sample(5, conditions={"k": "rare"})
    assert (drawn["k"] == "rare").all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.sample(5, conditions={"k": "often"})
        create("autoregressive", min_count=1).fit(table).sample(5, conditions={"k": "rare"})
