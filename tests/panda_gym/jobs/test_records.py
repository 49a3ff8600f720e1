"""Claims about streams from records: what is kept, filled in by rule, or refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import SeedError, StreamError
from panda_gym.jobs import STATUSES, JobStream
from panda_gym.schema import NAMES

MakeRecords = Callable[..., pd.DataFrame]


class Twice:
    """Predicts twice the workload."""

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        return 2.0 * table["workload"].to_numpy()


def test_every_record_becomes_a_job_with_its_figures(make_records: MakeRecords) -> None:
    table = make_records()
    stream = JobStream.from_records(table)
    assert stream.total_gflop == table["workload"].sum()
    assert stream.input_bytes.tolist() == table["inputfilebytes"].tolist()
    assert stream.input_files.tolist() == table["ninputdatafiles"].tolist()
    for codes, levels, column in (
        (stream.source, stream.site_names, "computingsite"),
        (stream.status, STATUSES, "jobstatus"),
        (stream.project, stream.levels["project"], "project"),
        (stream.prodstep, stream.levels["prodstep"], "prodstep"),
        (stream.datatype, stream.levels["datatype"], "datatype"),
    ):
        assert [levels[code] for code in codes] == table[column].tolist()
    times = np.datetime64(stream.epoch) + stream.arrival_s.astype("timedelta64[s]")
    assert np.array_equal(times, table["creationtime"].to_numpy().astype("datetime64[s]"))


def test_rows_may_come_in_any_order(make_records: MakeRecords) -> None:
    table = make_records().drop_duplicates("creationtime", ignore_index=True)
    shuffled = table.sample(frac=1.0, random_state=1)
    assert JobStream.from_records(shuffled).digest() == JobStream.from_records(table).digest()


def test_same_seed_same_stream(make_records: MakeRecords) -> None:
    table = make_records()
    first, again, other = (JobStream.from_records(table, seed=s).digest() for s in (1, 1, 2))
    assert first == again != other


def test_cores_are_taken_from_corecount(make_records: MakeRecords) -> None:
    table = make_records(4).assign(corecount=pd.array([8, 0, None, 2], dtype="Int64"))
    assert JobStream.from_records(table).cores.tolist() == [8, 1, 1, 2]


def test_cores_are_drawn_by_the_public_shares(make_records: MakeRecords) -> None:
    cores = JobStream.from_records(make_records(20_000)).cores
    assert set(cores.tolist()) == {1, 8}
    assert np.mean(cores == 8) == pytest.approx(0.03, abs=0.005)


def test_jobs_of_a_task_read_one_dataset(make_records: MakeRecords) -> None:
    task = pd.array([7, 7, None, 9, 7, 9], dtype="Int64")
    dataset = JobStream.from_records(make_records(6).assign(jeditaskid=task)).dataset
    assert dataset.tolist() == [0, 0, 1, 2, 0, 2]


def test_without_tasks_a_dataset_has_one_class_site_and_day(make_records: MakeRecords) -> None:
    table = make_records(2000)
    stream = JobStream.from_records(table)
    table["day"] = table["creationtime"].dt.floor("D")
    keys = ["project", "prodstep", "datatype", "computingsite", "day"]
    groups = table.assign(dataset=stream.dataset).groupby(keys, observed=True)["dataset"]
    assert (groups.nunique() == 1).all()
    assert groups.ngroups == stream.dataset.max() + 1


def test_the_prediction_without_a_model_is_the_median_of_the_class(
    make_records: MakeRecords,
) -> None:
    table = make_records(50)
    predicted = JobStream.from_records(table).workload_pred
    for row in range(len(table)):
        same = (table["project"] == table["project"][row]) & (
            table["datatype"] == table["datatype"][row]
        )
        assert predicted[row] == np.median(table["workload"][same])


def test_a_model_goes_before_a_column_before_the_median(make_records: MakeRecords) -> None:
    table = make_records(50).assign(workload_pred=7.0)
    assert np.all(JobStream.from_records(table).workload_pred == 7.0)
    by_model = JobStream.from_records(table, workload_model=Twice())
    assert np.array_equal(by_model.workload_pred, 2.0 * by_model.workload_true)


def test_a_prediction_is_at_least_one_gflop(make_records: MakeRecords) -> None:
    assert JobStream.from_records(make_records(9).assign(workload=0.0)).workload_pred.min() == 1.0


def test_one_row_is_a_stream(make_records: MakeRecords) -> None:
    assert len(JobStream.from_records(make_records(1))) == 1


def test_origin_is_taken_from_the_table_unless_given(make_records: MakeRecords) -> None:
    table = make_records(3)
    assert JobStream.from_records(table).origin == "records"
    table.attrs["origin"] = "stand-in"
    assert JobStream.from_records(table).origin == "stand-in"
    assert JobStream.from_records(table, origin="mine", name="n").origin == "mine"


@pytest.mark.parametrize("column", NAMES)
def test_each_missing_column_is_named(make_records: MakeRecords, column: str) -> None:
    with pytest.raises(StreamError, match=f"nine columns.*no {column}"):
        JobStream.from_records(make_records(5).drop(columns=column))


@pytest.mark.parametrize("column", NAMES)
def test_each_missing_entry_is_named(make_records: MakeRecords, column: str) -> None:
    table = make_records(5)
    table.loc[2, column] = None
    with pytest.raises(StreamError, match=f"{column} in every row; got none in row 2"):
        JobStream.from_records(table)


@pytest.mark.parametrize(
    ("column", "value", "needed"),
    [
        ("inputfilebytes", -1, "inputfilebytes finite and >= 0; got -1"),
        ("ninputdatafiles", -1, "ninputdatafiles finite and >= 0"),
        ("workload", -1.0, "workload finite and >= 0"),
        ("workload", np.inf, "workload finite and >= 0"),
        ("workload", "much", "numbers in column workload"),
        ("corecount", -8, "corecount finite and >= 0"),
        ("jobstatus", "running", "jobstatus among"),
        ("creationtime", "yesterday", "creationtime as datetime64"),
        ("workload_pred", np.nan, "workload_pred finite"),
    ],
)
def test_each_bad_value_is_one_clear_error(
    make_records: MakeRecords, column: str, value: object, needed: str
) -> None:
    with pytest.raises(StreamError, match=needed):
        JobStream.from_records(make_records(5).assign(**{column: value}))


def test_an_empty_table_and_no_table_are_refused(make_records: MakeRecords) -> None:
    with pytest.raises(StreamError, match="at least one job record"):
        JobStream.from_records(make_records(5).iloc[:0])
    with pytest.raises(StreamError, match="nine columns"):
        JobStream.from_records([1, 2])  # type: ignore[arg-type]


def test_a_model_that_predicts_nonsense_is_refused(make_records: MakeRecords) -> None:
    class Nonsense:
        def predict(self, table: pd.DataFrame) -> np.ndarray:
            return np.full(len(table), np.nan)

    with pytest.raises(StreamError, match="one finite prediction a job"):
        JobStream.from_records(make_records(5), workload_model=Nonsense())


@pytest.mark.parametrize("seed", [1.0, "1", True, -1])
def test_a_wrong_seed_is_refused(make_records: MakeRecords, seed: object) -> None:
    with pytest.raises(SeedError):
        JobStream.from_records(make_records(5), seed=seed)  # type: ignore[arg-type]
