"""MLEF is the paper's: a CatBoost of ln(target), tested on real rows."""

from __future__ import annotations

import numpy as np
import pytest

import metrics
from metrics.efficacy import PAPER
from metrics.errors import MetricError

QUICK = {"iterations": 30, "depth": 4}


def test_the_settings_are_the_papers():
    assert PAPER == {
        "iterations": 200,
        "depth": 10,
        "learning_rate": 1.0,
        "loss_function": "RMSE",
    }


def test_mlef_equals_a_plain_catboost_of_the_logarithm(make):
    from catboost import CatBoostRegressor

    train, test = make(400, 0), make(200, 1)
    levels = sorted({*train["computingsite"], *test["computingsite"]})
    kinds = sorted({*train["datatype"], *test["datatype"]})

    def features(table):
        return np.column_stack(
            [
                table["creationtime"].astype("int64"),
                table["ninputdatafiles"].astype("int64"),
                [levels.index(v) for v in table["computingsite"]],
                [kinds.index(v) for v in table["datatype"]],
            ]
        ).astype(object)

    order = np.argsort(train["creationtime"].to_numpy(), kind="stable")  # the canonical row order
    table = train.iloc[order]
    if table["creationtime"].is_unique:
        model = CatBoostRegressor(
            **{**PAPER, **QUICK}, random_seed=0, verbose=False, thread_count=1,
            allow_writing_files=False, cat_features=[2, 3],
        )  # fmt: skip
        model.fit(features(table), np.log(table["workload"]))
        slow = np.mean((model.predict(features(test)) - np.log(test["workload"])) ** 2)
        assert metrics.mlef(train, test, **QUICK) == pytest.approx(slow, rel=1e-6)


def test_diff_mlef_is_the_difference_and_grows_when_columns_are_independent(make, independent):
    train, test = make(1000, 0), make(500, 1)
    fake = independent(train, 3)
    gap = metrics.diff_mlef(fake, train, test, **QUICK)
    assert gap == pytest.approx(
        metrics.mlef(fake, test, **QUICK) - metrics.mlef(train, test, **QUICK)
    )
    assert gap > 0.2
    assert metrics.diff_mlef(train, train, test, **QUICK) == 0


@pytest.mark.parametrize(
    ("change", "target", "word"),
    [
        (lambda t: t, "nothing", "number column 'nothing'"),
        (lambda t: t.assign(workload=3.0), "workload", "constant"),
        (lambda t: t.assign(workload=-1.0), "workload", "positive"),
        (lambda t: t.iloc[:5], "workload", "5 rows"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_one_clear_error(make, change, target, word):
    with pytest.raises(MetricError) as caught:
        metrics.mlef(change(make(60, 0)), make(30, 1), target=target, **QUICK)
    assert word in str(caught.value)
