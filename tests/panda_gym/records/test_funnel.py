"""The funnel from raw rows to the nine columns."""

from __future__ import annotations

import itertools
import json

import pandas as pd
import pytest

from panda_gym.errors import RecordsError
from panda_gym.records import Funnel, apply_funnel, reference_records, workload_gflop
from panda_gym.records.exports import read_export
from panda_gym.records.funnel import FILTERS
from panda_gym.records.reference.export import kept_rows
from panda_gym.sites import load_platform


@pytest.fixture(scope="module")
def raw(export, tmp_path_factory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("raw") / "export.csv"
    export.to_csv(path, index=False)
    return read_export(path)


def test_what_passes_is_the_reference_workload(raw):
    table, funnel = apply_funnel(raw)
    pd.testing.assert_frame_equal(table, reference_records(kept_rows(3_000), seed=5))
    assert funnel.steps[-1].rows == len(table) == 2_400


def test_every_filter_drops_rows_of_the_reference_export(raw):
    raw = raw.assign(jobstatus=raw["jobstatus"].cat.add_categories("running"))
    raw.loc[raw.index[:3], "jobstatus"] = "running"
    rows = [step.rows for step in apply_funnel(raw)[1].steps]
    assert len(rows) == len(FILTERS) + 1
    assert all(later < earlier for earlier, later in itertools.pairwise(rows))


def test_counts_agree_with_filters_applied_row_by_row(raw):
    raw = raw.iloc[::10]
    funnel = apply_funnel(raw)[1]
    left = [row for _, row in raw.iterrows()]
    for step, rule in zip(funnel.steps[1:], FILTERS, strict=True):
        left = [row for row in left if bool(rule.keeps(row.to_frame().T).fillna(False).iloc[0])]
        assert len(left) == step.rows, rule.name


def test_a_funnel_survives_json(raw):
    table, funnel = apply_funnel(raw)
    assert Funnel.from_dict(json.loads(funnel.to_json())) == funnel
    assert Funnel.from_dict(table.attrs["funnel"]) == funnel
    assert f"{funnel.steps[0].rows:,}" in str(funnel)


def test_unknown_sites_and_empty_cores_are_counted_in_notes(raw):
    odd = raw.assign(
        computingsite=raw["computingsite"].astype(object).where(raw.index % 2 == 0, "Nowhere"),
        corecount=raw["corecount"].where(raw.index % 3 != 0, 0),
    )
    table, funnel = apply_funnel(odd, keep=("corecount", "cpuconsumptiontime"))
    nowhere = table["computingsite"] == "Nowhere"
    assert funnel.notes["site unknown to the platform, median power taken"] == nowhere.sum() > 0
    assert funnel.notes["cores taken as 1"] > 0
    median = pd.Series(load_platform().power).median()
    part = table[nowhere]
    cpu = part["cpuconsumptiontime"].astype("int64")
    expected = workload_gflop(part["corecount"].astype("int64"), median, cpu)
    assert part["workload"].tolist() == expected.tolist()


def test_a_column_that_only_filters_may_be_absent_and_is_noted(raw):
    funnel = apply_funnel(raw.drop(columns=["prodsourcelabel", "corecount"]))[1]
    assert funnel.notes["user analysis not checked, no column prodsourcelabel"] == len(raw)
    assert funnel.notes["cores taken as 1"] == funnel.steps[-1].rows


@pytest.mark.parametrize("name", ["cpuconsumptiontime", "datatype", "creationtime"])
def test_a_needed_column_that_is_absent_is_named(raw, name):
    with pytest.raises(RecordsError, match=f"without {name}"):
        apply_funnel(raw.drop(columns=name))


def test_tasks_cannot_be_kept_where_there_are_none(raw):
    with pytest.raises(RecordsError, match="without jeditaskid"):
        apply_funnel(raw.drop(columns="jeditaskid"), keep=("jeditaskid",))


def test_nothing_left_is_an_error_that_shows_the_counts(raw):
    with pytest.raises(RecordsError, match="user analysis 0"):
        apply_funnel(raw[raw["prodsourcelabel"] == "managed"])
