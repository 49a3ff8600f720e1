"""Tables are parsed once, whatever their row order, and refused in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import metrics
from metrics.errors import MetricError
from metrics.tables.samples import MISSING, digest, frame, read, table_sha256


def test_row_order_column_order_and_unused_levels_do_not_change_the_digest(make):
    table = make(300, 0)
    other = table.sample(frac=1, random_state=1)[list(table.columns[::-1])]
    other["datatype"] = other["datatype"].cat.add_categories(["never"])
    tables = read({"a": table, "b": other})
    assert digest(tables["a"]) == digest(tables["b"])


def test_one_changed_cell_changes_the_digest(make):
    table = make(300, 0)
    for column, value in (("workload", 1.0), ("datatype", table["datatype"].iloc[7])):
        other = table.copy()
        other.loc[3, column] = value
        assert digest(read({"t": table})["t"]) != digest(read({"t": other})["t"])


def test_the_same_cells_in_other_rows_change_the_digest(make):
    table = make(300, 0)
    other = table.assign(workload=table["workload"].to_numpy()[::-1])
    assert digest(read({"t": table})["t"]) != digest(read({"t": other})["t"])


def test_a_missing_category_is_a_level_and_a_missing_number_is_nan():
    table = pd.DataFrame({"k": ["a", None, "b"], "x": pd.array([1, None, 3], dtype="Int64")})
    sample = read({"t": table})["t"]
    assert MISSING in sample.schema.levels["k"]
    assert np.isnan(sample.number("x")).sum() == 1


def test_times_become_seconds_whatever_their_unit():
    times = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02"]))
    for unit in ("s", "ms", "us", "ns"):
        column = read({"t": pd.DataFrame({"t": times.astype(f"datetime64[{unit}]")})})["t"]
        np.testing.assert_array_equal(column.number("t"), [1704067200.0, 1704153600.0])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t.drop(columns="workload"), "missing ['workload']"),
        (lambda t: t.assign(more=1), "extra ['more']"),
        (lambda t: t.assign(workload=t["workload"].astype(str)), "'workload'"),
        (lambda t: t.iloc[:0], "0 rows"),
        (lambda t: t.assign(workload=np.nan), "only missing ones"),
        (lambda t: t.assign(workload=np.inf), "infinity"),
        (lambda t: t.assign(workload=1e200), "1e+200"),
        (lambda t: t.assign(workload=1j), "complex"),
        (lambda t: t.rename(columns={"datatype": "workload"}), "twice"),
        (lambda t: t.to_numpy(), "ndarray"),
    ],
)
def test_a_table_that_does_not_fit_is_one_clear_error(make, change, word):
    table = make(20, 0)
    with pytest.raises(MetricError, match=r"needed .*; got .*; ") as caught:
        read({"train": table, "synthetic": change(table)})
    assert word in str(caught.value)


def test_a_sample_turns_back_into_the_table_it_was_read_from(make):
    table = make(300, 4)
    table.loc[3, "ninputdatafiles"] = pd.NA
    table["datatype"] = table["datatype"].where(np.arange(300) != 5)
    table["flag"] = np.arange(300) % 2 == 0
    table["text"] = np.where(np.arange(300) % 3 == 0, "a", "b")
    table["zoned"] = table["creationtime"].dt.tz_localize("UTC").dt.tz_convert("Europe/Paris")
    back = frame(read({"table": table})["table"])
    assert list(back.dtypes) == list(table.dtypes)
    again = frame(read({"table": back})["table"])
    pd.testing.assert_frame_equal(again, back)
    assert table_sha256(back) == table_sha256(table)


def test_a_group_is_set_apart_and_travels_with_its_rows(make):
    table = make(200, 1).assign(task=np.repeat(np.arange(20), 10))
    sample = read({"table": table}, group="task")["table"]
    assert "task" not in sample.schema.order
    back = frame(sample).assign(task=sample.groups)
    columns = list(table.columns)
    pd.testing.assert_frame_equal(
        back.sort_values(columns)[columns].reset_index(drop=True),
        table.sort_values(columns).reset_index(drop=True),
        check_categorical=False,
    )
    assert len(sample.draw(50, np.random.default_rng(0)).groups) == 50


@pytest.mark.parametrize(("group", "word"), [("nothing", "group column"), ("hole", "missing")])
def test_a_group_that_is_not_there_is_one_clear_error(make, group, word):
    table = make(20, 1).assign(hole=[None, *range(19)])
    with pytest.raises(MetricError, match=word):
        read({"table": table}, group=group)


def test_columns_named_by_numbers_are_read_and_named_back():
    table = pd.DataFrame({0: ["a", "b", "a"], 1: [1.0, 2.0, 4.0]})
    sample = read({"train": table, "synthetic": table})["synthetic"]
    assert sample.schema.order == ("0", "1")
    assert list(frame(sample).columns) == [0, 1]
    assert metrics.jsd(table, table) == metrics.wd(table, table) == 0
    assert table_sha256(table) == table_sha256(table.rename(columns=str))


def test_column_names_that_agree_as_text_are_one_clear_error():
    with pytest.raises(MetricError, match=r"differ as text; got twice: \['1'\]"):
        read({"train": pd.DataFrame([[1, 2]], columns=[1, "1"])})


def test_levels_that_agree_as_text_are_one_clear_error():
    table = pd.DataFrame({"k": pd.Series([1, "1", "b"], dtype=object)})
    with pytest.raises(MetricError, match="levels of column 'k' that differ as text"):
        read({"train": table})


@pytest.mark.parametrize("level", ["(missing)", "\\(missing)"])
def test_a_level_called_missing_is_no_missing_value(level):
    real = pd.DataFrame({"k": [level, "b", None, level]})
    gone = real.assign(k=real["k"].replace(level, None))
    samples = read({"real": real, "gone": gone})
    assert digest(samples["real"]) != digest(samples["gone"])
    assert metrics.jsd(gone, real) > 0.1
    assert sorted(frame(samples["real"])["k"].dropna()) == sorted([level, "b", level])
    both = pd.DataFrame({"k": ["(missing)", "\\(missing)", None]})
    assert len(read({"t": both})["t"].schema.levels["k"]) == 3
    kind = real.assign(k=pd.Categorical(real["k"]))
    assert frame(read({"t": kind})["t"])["k"].isna().sum() == 1
    assert set(frame(read({"t": kind})["t"])["k"].cat.categories) == {"b", level}
