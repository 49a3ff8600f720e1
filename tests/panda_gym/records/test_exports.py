"""Reading exports: formats, aliases, privacy at the door, damage."""

from __future__ import annotations

import datetime
import gzip
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from panda_gym.errors import RecordsError
from panda_gym.records import (
    STAND_IN,
    load_records,
    read_export,
    reference_records,
    write_reference,
)
from panda_gym.records.exports import _read_csv
from panda_gym.records.layout import ALIASES, DATASET, PERSONAL, chosen_columns, plain
from panda_gym.records.reference.export import kept_rows

KEEP = ("corecount", "cpuconsumptiontime", "jeditaskid")

WRITERS = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "csv.gz": lambda table, path: table.to_csv(path, index=False, compression="gzip"),
    "tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "semicolons": lambda table, path: table.to_csv(path, index=False, sep=";"),
    "parquet": lambda table, path: table.to_parquet(path, index=False),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_raw_export_becomes_the_records_it_was_made_of(export, tmp_path, kind):
    path = tmp_path / "export.data"  # told apart by content, not by name
    WRITERS[kind](export, path)
    wanted = reference_records(kept_rows(len(export)), seed=5, keep=KEEP)
    table = load_records(path, keep=KEEP)
    pd.testing.assert_frame_equal(table, wanted)
    assert table.attrs["origin"] == "job records read from export.data"
    assert table.attrs["funnel"]["steps"][0]["rows"] == len(export)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_of_nine_columns_returns_as_it_was(tmp_path, kind):
    table = reference_records(400, seed=3, keep=KEEP)
    path = tmp_path / "records.data"
    WRITERS[kind](table, path)
    pd.testing.assert_frame_equal(load_records(path, keep=KEEP), table)
    pd.testing.assert_frame_equal(load_records(path), table.iloc[:, :9])


def test_names_in_any_case_and_aliases_are_understood(export, tmp_path):
    names = {
        "creationtime": "CREATION_DATE",
        "computingsite": "Computing Site",
        "cpuconsumptiontime": "cpu-time",
        "corecount": "ActualCoreCount",
        "jeditaskid": "TaskID",
        "proddblock": "InputDataset",
        "jobstatus": "Status",
    }
    plain_path, other_path = tmp_path / "a.csv", tmp_path / "b.csv"
    export.to_csv(plain_path, index=False)
    export.rename(columns=names).to_csv(other_path, index=False)
    pd.testing.assert_frame_equal(
        load_records(other_path, KEEP), load_records(plain_path, KEEP), check_like=False
    )


def test_a_columns_own_name_goes_before_its_aliases():
    assert chosen_columns(["site", "COMPUTINGSITE"])["computingsite"] == "COMPUTINGSITE"
    assert "site" not in chosen_columns(["site"])


def test_no_spelling_stands_for_two_columns_or_a_personal_one():
    spellings = [plain(s) for name, more in ALIASES.items() for s in (name, *more)]
    spellings += [plain(name) for name in DATASET]
    assert len(set(spellings)) == len(spellings)
    assert not set(spellings) & {plain(name) for name in PERSONAL}
    assert all(spelling == plain(spelling) for spelling in spellings)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_no_trace_of_a_user_passes_the_door(export, tmp_path, kind):
    path = tmp_path / "export.data"
    marked = export.copy()
    for name in PERSONAL:
        marked[name] = "user0042"
    marked["proddblock"] = "user.user0042.DAOD_PHYS.user0042"
    marked["somethingelse"] = "user0042"
    WRITERS[kind](marked, path)
    raw = read_export(path)
    assert not set(raw.columns) & {*PERSONAL, *DATASET, "somethingelse"}
    assert "user0042" not in raw.to_csv() + str(raw.attrs)
    assert set(raw["project"]) == {"user"}
    for name in raw.columns[raw.dtypes == "category"]:
        assert not any("0042" in level for level in raw[name].cat.categories)


def test_personal_columns_are_not_even_taken_from_the_file(export, tmp_path):
    path = tmp_path / "export.csv"
    export.to_csv(path, index=False)
    table, _ = _read_csv(path, gzipped=False)
    assert not set(table.columns) & set(PERSONAL)


def test_a_given_project_column_loses_its_users(export, tmp_path):
    path = tmp_path / "export.csv"
    fields = {"project": "user.jdoe", "prodstep": "deriv", "datatype": "DAOD_PHYS"}
    export.drop(columns="proddblock").assign(**fields).to_csv(path, index=False)
    assert set(load_records(path)["project"]) == {"user"}


def test_a_second_dataset_column_fills_the_first(export, tmp_path):
    path = tmp_path / "export.csv"
    half = export["proddblock"].astype(object).where(export.index % 2 == 0)
    export.assign(inputdataset=half).to_csv(path, index=False)
    wanted = reference_records(kept_rows(len(export)), seed=5)
    pd.testing.assert_frame_equal(load_records(path), wanted)


def test_the_public_sample_is_read_and_its_lack_of_datasets_told(shared_data):
    path = shared_data / "panda" / "panda_jobs_sample_11_scrubbed.csv"
    raw = read_export(path)
    assert len(raw) == 11
    assert raw["creationtime"].iloc[0] == pd.Timestamp("2024-01-07 13:24")
    assert raw["jobstatus"].value_counts().to_dict() == {"closed": 6, "finished": 5}
    with pytest.raises(RecordsError, match="without project, prodstep, datatype"):
        load_records(path)


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


CSV = b"pandaid,creationtime,jobstatus\n" + b"1,2024-01-01 00:00:00,finished\n" * 2000
BROKEN = {
    "empty": (b"", "empty"),
    "header only": (CSV[:31], "no rows"),
    "blank": (b"\n\n", "damaged|other columns"),
    "binary": (bytes(range(256)) * 20, "damaged|other columns"),
    "another table": (b"age,job\n3,clerk\n", "2 other columns"),
    "cut gzip": (gzipped(CSV)[:-20], "damaged"),
    "spoilt gzip": (gzipped(CSV)[:20] + b"\0" * 40, "damaged"),
    "false parquet": (b"PAR1" + b"\0" * 100, "damaged"),
    "ragged csv": (CSV + b"1,2,3,4,5,6\n", "damaged"),
    "text for a number": (CSV.replace(b"\n1,", b"\none,"), "numbers in pandaid"),
    "negative bytes": (b"pandaid,inputfilebytes\n1,-5\n", "inputfilebytes of at least 0"),
    "no times": (CSV.replace(b"2024-01-01 00:00:00", b"noon"), "times in creationtime"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_gives_one_clear_error(tmp_path, name):
    content, message = BROKEN[name]
    path = tmp_path / "export.data"
    path.write_bytes(content)
    with pytest.raises(RecordsError, match=message):
        load_records(path)


def test_a_cut_parquet_file_is_damaged(export, tmp_path):
    path = tmp_path / "export.parquet"
    export.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RecordsError, match="damaged"):
        load_records(path)


def test_a_missing_file_or_a_folder_is_told(tmp_path):
    with pytest.raises(RecordsError, match="no such file"):
        load_records(tmp_path / "nothing.csv")
    with pytest.raises(RecordsError, match="no such file"):
        load_records(tmp_path)


def test_a_nine_column_file_with_a_hole_is_refused(tmp_path):
    table = reference_records(20)
    table.loc[3, "workload"] = None
    path = tmp_path / "records.csv"
    table.to_csv(path, index=False)
    with pytest.raises(RecordsError, match="workload in every row"):
        load_records(path)


def test_types_of_databases_are_understood(tmp_path):
    whole = pa.decimal128(20, 0)
    arrow = pa.table(
        {
            "PANDAID": pa.array([Decimal(1), Decimal(2)], whole),
            "CREATIONDATE": [datetime.date(2024, 1, 1)] * 2,
            "COMPUTINGSITE": ["BNL", "FZK-LCG2"],
            "INPUTDATASET": pa.array(["mc16_13TeV.1.a.deriv.DAOD_PHYS.p1"] * 2).dictionary_encode(),
            "NINPUTDATAFILES": pa.array([Decimal(1), Decimal(2)], whole),
            "INPUTFILEBYTES": [5.0, 7.0],
            "JOBSTATUS": ["Finished", "FAILED "],
            "CPUCONSUMPTIONTIME": pa.array([Decimal(10), None], whole),
            "CORECOUNT": pa.nulls(2),
            "PROCESSINGTYPE": pa.nulls(2),
        }
    )
    pq.write_table(arrow, tmp_path / "oracle.parquet")
    table = load_records(tmp_path / "oracle.parquet", keep="corecount")
    assert table[["jobstatus", "corecount", "inputfilebytes"]].values.tolist() == [
        ["finished", 1, 5]
    ]


def test_quotes_protect_commas_and_line_breaks(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes(b'"pandaid","jobparameters","creationtime"\r\n7,"a,\r\nb",2024-01-01\r\n')
    raw = read_export(path)
    assert raw.values.tolist() == [[7, pd.Timestamp("2024-01-01")]]


def test_a_row_with_a_field_too_many_shifts_no_name_into_a_column(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("pandaid,produsername,computingsite,jobstatus\n1,Jane, Roe,BNL,finished\n")
    with pytest.raises(RecordsError, match="damaged") as caught:
        read_export(path)
    assert "Roe" not in str(caught.value)


def test_the_origin_of_a_stand_in_survives_a_file(tmp_path):
    path = write_reference(tmp_path / "reference.parquet", 50)
    assert load_records(path).attrs["origin"] == STAND_IN
