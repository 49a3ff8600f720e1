"""The workload model knows what a broker knows, and survives being written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import RecordsError, SurrogateError
from panda_gym.surrogate.workload_model import WorkloadConfig, WorkloadModel, log_workload

SMALL = WorkloadConfig(iterations=20, depth=4, learning_rate=0.3)


@pytest.fixture(scope="module")
def model(records: pd.DataFrame) -> WorkloadModel:
    return WorkloadModel.fit(records, seed=0, config=SMALL)


def test_it_predicts_better_than_the_mean(model: WorkloadModel, records: pd.DataFrame) -> None:
    assert model.rmse(records) < 0.98 * float(np.std(log_workload(records)))


def test_it_sees_neither_the_site_nor_the_outcome(
    model: WorkloadModel, records: pd.DataFrame
) -> None:
    blind = records.drop(columns=["computingsite", "jobstatus", "workload", "creationtime"])
    np.testing.assert_array_equal(model.predict(blind), model.predict(records))


def test_what_is_written_predicts_the_same(
    model: WorkloadModel, records: pd.DataFrame, tmp_path: Path
) -> None:
    model.save(tmp_path / "m.cbm")
    again = WorkloadModel.load(tmp_path / "m.cbm")
    np.testing.assert_array_equal(again.predict(records), model.predict(records))
    assert again.config == SMALL


def test_unseen_levels_are_predicted(model: WorkloadModel, records: pd.DataFrame) -> None:
    strange = records.head(3).assign(project=pd.Categorical(["new"] * 3))
    assert np.isfinite(model.predict(strange)).all()


def test_no_rows_no_predictions(model: WorkloadModel, records: pd.DataFrame) -> None:
    assert model.predict(records.iloc[:0]).shape == (0,)


def test_a_missing_column_is_named(model: WorkloadModel, records: pd.DataFrame) -> None:
    with pytest.raises(RecordsError, match="datatype"):
        model.predict(records.drop(columns="datatype"))


def test_a_damaged_model_is_one_clear_error(model: WorkloadModel, tmp_path: Path) -> None:
    model.save(tmp_path / "m.cbm")
    (tmp_path / "m.cbm").write_bytes(b"not a model")
    with pytest.raises(SurrogateError, match="fit the surrogate again"):
        WorkloadModel.load(tmp_path / "m.cbm")
