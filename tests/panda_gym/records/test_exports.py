"""Reading exports: formats, aliases, privacy at the door, damage."""

from __future__ import annotations

import datetime
import gzip
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from panda_gym.benchmarking.policy_resolution import find_streams
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
from panda_gym.schema import STREAM_EXTRAS
from panda_gym.sites import load_platform

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
    table, _, _ = _read_csv(path, gzipped=False)
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


# --- what is read is counted ----------------------------------------------------------------------

HEADER = "pandaid,creationtime,computingsite,jobstatus"


def lines(path: Path, *rows: str, end: str = "\n") -> Path:
    path.write_bytes(end.join([HEADER, *rows, ""]).encode())
    return path


def test_a_raw_export_ends_with_one_line_of_what_was_read_dropped_and_assumed(
    export, tmp_path, caplog
):
    export.to_parquet(tmp_path / "export.parquet")
    with caplog.at_level("INFO", logger="panda_gym"):
        table = load_records(tmp_path / "export.parquet")
    (said,) = caplog.messages
    assert said == table.attrs["reading"]
    assert said.startswith("export.parquet: read 2,400 of 3,000 rows; dropped: not user analysis (")
    steps = table.attrs["funnel"]["steps"]
    gone = steps[0]["rows"] - steps[1]["rows"]
    assert f"not user analysis ({gone:,}), not DAOD input (" in said
    assert "assumed: core-seconds are wall time x cores (2,400)" in said
    assert "notes" not in table.attrs


def test_a_table_of_nine_columns_and_a_raw_reading_end_with_one_line_too(tmp_path, caplog):
    reference_records(20).to_csv(tmp_path / "records.csv", index=False)
    with caplog.at_level("INFO", logger="panda_gym"):
        load_records(tmp_path / "records.csv")
        read_export(tmp_path / "records.csv")
    assert caplog.messages == ["records.csv: read 20 of 20 rows; dropped: none; assumed: none"] * 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("pack", [bytes, gzipped])
def test_every_line_end_is_read(tmp_path, end, pack):
    path = lines(tmp_path / "e.csv", "1,2024-01-01,BNL,failed", "2,2024-01-02,FZK,closed", end=end)
    path.write_bytes(pack(path.read_bytes()))
    raw = read_export(path)
    assert raw["computingsite"].tolist() == ["BNL", "FZK"]


def test_a_quote_that_is_not_closed_swallows_no_row_in_silence(tmp_path, caplog):
    rows = [f"{i},2024-01-0{i},BNL,finished" for i in range(1, 6)]
    rows[1], rows[3] = '2,2024-01-02,"BNL,finished', '4,2024-01-04,BNL",finished'
    with pytest.raises(RecordsError, match=r"one line in column computingsite.*row 2.*close"):
        read_export(lines(tmp_path / "read.csv", *rows))
    rows[1], rows[3] = '2,2024-01-02,BNL,finished,"a', '4,2024-01-04,BNL,finished,b"'
    rows = [row if row.count(",") > 3 else f"{row},c" for row in rows]
    path = tmp_path / "unread.csv"
    path.write_text("\n".join([f"{HEADER},jobname", *rows, ""]))
    with caplog.at_level("INFO", logger="panda_gym"):
        assert len(read_export(path)) == 3
    assert "read 3 of 3 rows; dropped: none; assumed: lines joined by a quoted value (2)" in (
        caplog.text
    )
    path.write_text(f'{HEADER}\n1,2024-01-01,"BNL,finished\n2,2024-01-02,BNL,finished\n')
    with pytest.raises(RecordsError, match=r"damaged|one line in column"):
        read_export(path)


def test_repeated_jobs_and_unreadable_times_are_counted_apart_from_missing_ones(export, tmp_path):
    part = export[export["prodsourcelabel"] == "user"].head(600).copy()
    part["creationtime"] = part["creationtime"].astype(str)
    at = part.index[part["cpuconsumptiontime"].notna()]
    part.loc[at[:3], "creationtime"] = "yesterday"
    part.loc[at[3:5], "creationtime"] = None
    part.loc[at[5:9], "pandaid"] = part.loc[at[0], "pandaid"]
    part.to_csv(tmp_path / "export.csv", index=False)
    notes = load_records(tmp_path / "export.csv").attrs["funnel"]["notes"]
    assert notes["creationtime that cannot be read, taken as missing"] == 3
    assert notes["pandaid of an earlier row, kept"] == 4


def test_durations_of_parquet_are_seconds(tmp_path):
    for unit in ("s", "ms", "us", "ns"):
        spent = pa.array([3_600, 7], pa.int64()).cast(pa.int64())
        factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
        column = pa.array([v.as_py() * factor for v in spent], pa.duration(unit))
        table = pa.table({"pandaid": [1, 2], "cpuconsumptiontime": column})
        pq.write_table(table, tmp_path / "d.parquet")
        assert read_export(tmp_path / "d.parquet")["cpuconsumptiontime"].tolist() == [3600, 7]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_seconds_since_1970_are_read_from_every_kind_of_file(tmp_path, kind):
    table = pd.DataFrame({"pandaid": [1, 2], "creationtime": [1704633845, 1704634445]})
    path = tmp_path / f"epoch.{kind}"
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    assert read_export(path)["creationtime"].tolist() == [
        pd.Timestamp("2024-01-07 13:24:05"),
        pd.Timestamp("2024-01-07 13:34:05"),
    ]


BAD_COLUMNS = {
    "list": (pa.array([[1], [2]]), "one value a row in column computingsite.*list"),
    "struct": (pa.array([{"a": 1}, {"a": 2}]), "one value a row in column computingsite.*struct"),
}


@pytest.mark.parametrize("kind", BAD_COLUMNS)
def test_nested_columns_are_one_clear_error(tmp_path, kind):
    column, message = BAD_COLUMNS[kind]
    pq.write_table(pa.table({"pandaid": [1, 2], "computingsite": column}), tmp_path / "n.parquet")
    with pytest.raises(RecordsError, match=message):
        read_export(tmp_path / "n.parquet")


def test_binary_text_is_read(tmp_path):
    column = pa.array([b"BNL", b"FZK"])
    pq.write_table(pa.table({"pandaid": [1, 2], "computingsite": column}), tmp_path / "b.parquet")
    assert read_export(tmp_path / "b.parquet")["computingsite"].tolist() == ["BNL", "FZK"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "float"])
def test_numbers_beyond_64_bits_are_one_clear_error(tmp_path, kind):
    table = pd.DataFrame({"pandaid": np.array([1, 2**63], np.uint64), "status": "finished"})
    path = tmp_path / "big.data"
    if kind == "float":
        table["pandaid"] = [1.0, 2.0**70]
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    with pytest.raises(RecordsError, match=r"below 2\^63 in pandaid"):
        read_export(path)


# --- multi-core work ------------------------------------------------------------------------------


def multi_core(**more: object) -> pd.DataFrame:
    """Three 8-core jobs of one hour that used seven eighths of their cores."""
    table = {
        "pandaid": [1, 2, 3], "jeditaskid": [7, 7, 8], "creationtime": ["2024-01-01"] * 3,
        "computingsite": "here", "proddblock": "mc20_13TeV.1.a.deriv.DAOD_PHYS.p1",
        "ninputdatafiles": 1, "inputfilebytes": 5, "jobstatus": "finished",
        "prodsourcelabel": "user", "cpuconsumptiontime": 25_200, "corecount": 8, **more,
    }  # fmt: skip
    return pd.DataFrame(table)


def read(table: pd.DataFrame, path: Path, **more: object) -> pd.DataFrame:
    table.to_csv(path / "export.csv", index=False)
    site = {"name": "here", "cores": 8, "power": 10.0}
    (path / "site.json").write_text(json.dumps({"sites": [site]}))
    return load_records(path / "export.csv", platform=load_platform(path / "site.json"), **more)


STAMPS = {
    "starttime": ["2024-01-01 00:00:00", "2024-01-01 00:00:00", None],
    "endtime": ["2024-01-01 01:00:00", None, "2024-01-01 01:00:00"],
}


@pytest.mark.parametrize(
    ("more", "options", "workload", "notes"),
    [
        ({}, {}, [252e3] * 3, {"core-seconds are the CPU time as it is": 3}),
        ({"walltime": 3600}, {}, [288e3] * 3, {"core-seconds are wall time x cores": 3}),
        (
            STAMPS, {}, [288e3, 252e3, 252e3],
            {"core-seconds are wall time x cores": 1, "core-seconds are the CPU time as it is": 2},
        ),
        ({**STAMPS, "endtime": "2023-12-31"}, {}, [252e3] * 3,
         {"core-seconds are the CPU time as it is": 3}),
        ({**STAMPS, "starttime": "noon"}, {}, [252e3] * 3,
         {"starttime that cannot be read, taken as missing": 3,
          "core-seconds are the CPU time as it is": 3}),
        (
            {"walltime": 3600}, {"paper_formula": True}, [2016e3] * 3,
            {"core-seconds are cores x CPU time (the paper's formula)": 3},
        ),
        (
            {"walltime": 3600, "hs06sec": [288_000, 0, 144_000]}, {}, [288e3] * 3,
            {"core-seconds are wall time x cores": 3,
             "hs06sec known, median of workload / hs06sec 1.50": 2},
        ),
        (
            {"walltime": 360}, {}, [28_800] * 3,
            {"core-seconds are wall time x cores": 3, "CPU time above wall time x cores": 3},
        ),
    ],
)  # fmt: skip
def test_core_seconds_are_wall_time_x_cores_or_the_cpu_time(
    tmp_path, more, options, workload, notes
):
    table = read(multi_core(**more), tmp_path, **options)
    assert table["workload"].tolist() == workload
    assert table.attrs["funnel"]["notes"] == notes


def test_cores_and_tasks_are_kept_where_the_file_has_them(tmp_path):
    extras = ["corecount", "jeditaskid"]
    table = read(multi_core(), tmp_path, optional=extras)
    assert table[extras].values.tolist() == [[8, 7], [8, 7], [8, 8]]
    one = read(multi_core().drop(columns="corecount"), tmp_path, optional=extras)
    assert "corecount" not in one.columns
    assert one["jeditaskid"].tolist() == [7, 7, 8]


def test_a_stream_of_an_export_has_the_cores_tasks_and_requests_of_the_export(tmp_path):
    path = tmp_path / "export.csv"
    multi_core(corecount=[8, 1, 4], maxWallTime=[7200, None, 60]).to_csv(path, index=False)
    stream = find_streams([path])[0].settings["stream"]
    assert stream.cores.tolist() == [8, 1, 4]
    assert stream.requested_s.tolist() == [7200, 0, 60]
    again = load_records(path, optional=STREAM_EXTRAS)
    assert "no requested wall time (1)" in again.attrs["reading"]
    nine = again.assign(maxwalltime=[5, None, 7])
    nine.to_csv(tmp_path / "nine.csv", index=False)
    assert find_streams([tmp_path / "nine.csv"])[0].settings["stream"].requested_s[1] == 0
    assert stream.dataset.tolist() == [0, 0, 1]
