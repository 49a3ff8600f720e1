"""The check of a table: what it normalises and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import RecordsError
from panda_gym.records import COLUMNS, reference_records
from panda_gym.records.columns import check_table
from panda_gym.schema import EXTRAS, STATUSES

DTYPES = {"time": "datetime64[s]", "category": "category", "integer": "Int64", "real": "float64"}


@pytest.fixture
def table() -> pd.DataFrame:
    return reference_records(300, seed=1)


def test_a_checked_table_has_nine_columns_in_order_with_their_dtypes(table):
    shuffled = table[list(reversed(table.columns))].sample(frac=1.0, random_state=0)
    checked = check_table(shuffled)
    assert [*checked.columns] == [column.name for column in COLUMNS]
    assert [str(dtype) for dtype in checked.dtypes] == [DTYPES[c.kind] for c in COLUMNS]
    assert checked.index.equals(pd.RangeIndex(len(table)))
    assert tuple(checked["jobstatus"].cat.categories) == STATUSES
    assert checked.attrs == table.attrs


def test_checking_twice_changes_nothing(table):
    pd.testing.assert_frame_equal(check_table(table), table)


def test_other_dtypes_of_the_same_values_give_the_same_table(table):
    plain = table.astype(
        {
            "computingsite": object,
            "jobstatus": "str",
            "ninputdatafiles": "float64",
            "inputfilebytes": "int64",
            "creationtime": "datetime64[ns]",
        }
    )
    plain["creationtime"] = plain["creationtime"].dt.tz_localize("UTC")
    pd.testing.assert_frame_equal(check_table(plain), table)
    texts = table.assign(creationtime=table["creationtime"].astype("str"))
    pd.testing.assert_frame_equal(check_table(texts), table)


def test_levels_that_no_row_has_are_dropped(table):
    part = check_table(table.head(3))
    assert set(part["project"].cat.categories) == set(table["project"].head(3))


def test_extras_are_kept_only_when_named():
    table = reference_records(50, keep=("jeditaskid", "corecount"))
    assert [*table.columns[9:]] == ["corecount", "jeditaskid"]
    pd.testing.assert_frame_equal(check_table(table, ["corecount", "jeditaskid"]), table)
    with pytest.raises(RecordsError, match="also corecount, jeditaskid"):
        check_table(table)
    with pytest.raises(RecordsError, match="did you mean corecount"):
        check_table(table, ["corecont"])


BAD = {
    "missing column": (lambda t: t.drop(columns="workload"), "no workload"),
    "extra column": (lambda t: t.assign(extra=1), "also extra"),
    "doubled column": (lambda t: pd.concat([t, t[["project"]]], axis=1), "a column twice"),
    "empty": (lambda t: t.head(0), "an empty table"),
    "missing workload": (lambda t: t.assign(workload=t.workload.where(t.index > 3)), "4 missing"),
    "missing site": (
        lambda t: t.assign(computingsite=t.computingsite.where(t.index > 0)),
        "1 missing",
    ),
    "negative bytes": (lambda t: t.assign(inputfilebytes=-1), "inputfilebytes of at least 0"),
    "negative workload": (lambda t: t.assign(workload=-0.5), "workload of at least 0"),
    "infinite workload": (lambda t: t.assign(workload=np.inf), "finite numbers in workload"),
    "part of a file": (lambda t: t.assign(ninputdatafiles=1.5), "whole numbers"),
    "text for a number": (lambda t: t.assign(workload="much"), "numbers in workload"),
    "numbers as text": (lambda t: t.assign(inputfilebytes="12"), "whole numbers"),
    "truth for a number": (lambda t: t.assign(ninputdatafiles=True), "whole numbers"),
    "number for a site": (lambda t: t.assign(computingsite=7), "text in computingsite"),
    "blank site": (lambda t: t.assign(computingsite=" "), "blank text"),
    "number for a time": (lambda t: t.assign(creationtime=3), "times"),
    "text that is no time": (lambda t: t.assign(creationtime="noon"), "times"),
    "unknown status": (lambda t: t.assign(jobstatus="finnished"), "did you mean finished"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_give_one_clear_error(table, name):
    spoil, message = BAD[name]
    with pytest.raises(RecordsError, match=message):
        check_table(spoil(table))


def test_what_is_not_a_table_is_refused():
    with pytest.raises(RecordsError, match="DataFrame"):
        check_table({"creationtime": []})


def test_the_table_of_columns_says_what_a_broker_knows_before():
    unknown = [column.name for column in COLUMNS if not column.known_before]
    assert unknown == ["jobstatus", "workload"]
    assert all(column.meaning for column in (*COLUMNS, *EXTRAS))
