"""Tables of files: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import InputError
from panda_gym.experiments.generator_comparison import from_file, from_reference
from panda_gym.experiments.generator_comparison.source import read_back

NAMES = "age,workclass,fnlwgt,education,education_num,marital,occupation,relationship,race,sex,"
NAMES += "gain,loss,hours,country,income"


def frame(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "when": pd.date_range("2024-01-01", periods=n, freq="h").astype(str),
            "files": rng.integers(0, 9, n),
            "size": rng.lognormal(2, 1, n).round(3),
            "kind": rng.choice(["a", "b", None], n),
            "good": rng.random(n) < 0.3,
        }
    )


def test_a_csv_becomes_categories_numbers_and_times(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "t.csv", index=False)
    source = from_file(tmp_path / "t.csv", "size", time="when")
    kinds = {name: str(dtype) for name, dtype in source.table.dtypes.items()}
    assert kinds == {
        "when": "datetime64[s]",
        "files": "Int64",
        "size": "float64",
        "kind": "category",
        "good": "category",
    }
    assert source.table["kind"].isna().sum() == frame()["kind"].isna().sum()
    assert not source.classes
    assert from_file(tmp_path / "t.csv", "good").classes


def test_parquet_and_a_csv_without_header(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "t.parquet")
    assert from_file(tmp_path / "t.parquet", "size").table.shape == (200, 5)
    frame().to_csv(tmp_path / "t.csv", index=False, header=False)
    source = from_file(tmp_path / "t.csv", "e", names=list("abcde"))
    assert list(source.table.columns) == list("abcde")


def test_adult_is_a_table_of_classes_with_missing_entries(shared_data: Path) -> None:
    source = from_file(
        shared_data / "tabular" / "adult-train.csv", "income", names=NAMES.split(",")
    )
    assert source.table.shape == (32_561, 15)
    assert list(source.table["income"].cat.categories) == ["<=50K", ">50K"]
    assert source.table["workclass"].isna().any()


def test_the_reference_workload_says_that_it_is_a_stand_in() -> None:
    source = from_reference(300, seed=1)
    assert "stand-in" in source.origin
    assert (source.target, source.time) == ("workload", "creationtime")


@pytest.mark.parametrize(
    ("change", "target", "needed"),
    [
        ({}, "szie", "size"),
        ({"size": -1.0}, "size", "positive numbers"),
        ({"kind": "a"}, "kind", "two classes"),
        ({"kind": None}, "size", "values in every column"),
        ({}, "kind", "none missing"),
    ],
)
def test_a_table_that_cannot_be_compared_on_is_one_clear_error(
    change: dict[str, object], target: str, needed: str, tmp_path: Path
) -> None:
    frame().assign(**change).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match=needed):
        from_file(tmp_path / "t.csv", target)


def test_a_short_or_absent_file_is_one_clear_error(tmp_path: Path) -> None:
    frame(20).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="at least 100 rows"):
        from_file(tmp_path / "t.csv", "size")
    with pytest.raises(InputError, match="not there"):
        from_file(tmp_path / "none.csv", "size")
    frame().to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="dates"):
        from_file(tmp_path / "t.csv", "size", time="kind")


def test_a_table_is_read_back_with_its_own_units_of_time(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=3)
    kinds = {"a": "datetime64[s]", "b": "datetime64[ns]", "c": "float64"}
    table = pd.DataFrame({"a": days, "b": days, "c": [0.5, 1.5, np.nan]}).astype(kinds)
    table.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_back(tmp_path / "t.parquet"), table)
