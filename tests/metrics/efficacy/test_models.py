"""MLEF is the paper's: a CatBoost of ln(target), tested on real rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import metrics
from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.efficacy.models import PAPER, macro_auc, macro_f1, squared_errors
from metrics.errors import MetricError
from metrics.tables.samples import read

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


def test_the_number_of_threads_changes_nothing(make):
    train, test = make(4000, 0), make(500, 1)
    found = {metrics.mlef(train, test, iterations=20, depth=8, threads=n) for n in (1, 2, 5)}
    assert len(found) == 1


def test_diff_mlef_is_the_difference_and_grows_when_columns_are_independent(make, independent):
    train, test = make(1000, 0), make(500, 1)
    fake = independent(train, 3)
    gap = metrics.efficacy.diff_mlef(fake, train, test, **QUICK)
    assert gap == pytest.approx(
        metrics.mlef(fake, test, **QUICK) - metrics.mlef(train, test, **QUICK)
    )
    assert gap > 0.2
    assert metrics.efficacy.diff_mlef(train, train, test, **QUICK) == 0


@pytest.mark.parametrize(
    ("change", "target", "word"),
    [
        (lambda t: t, "nothing", "column 'nothing' to predict"),
        (lambda t: t.assign(workload=3.0), "workload", "constant"),
        (lambda t: t.assign(workload=-1.0), "workload", "positive"),
        (lambda t: t.iloc[:5], "workload", "5 rows"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_one_clear_error(make, change, target, word):
    with pytest.raises(MetricError) as caught:
        metrics.mlef(change(make(60, 0)), make(30, 1), target=target, **QUICK)
    assert word in str(caught.value)


def scored(target, tables, **settings):
    rules = policy.load("default")
    settings = {**rules.settings, **rules.quick, "catboost_iterations": 20, **settings}
    study = Study(**tables, target=target, time=None, seed=0, settings=settings)
    return {score.id: score for score in base.load("mlef")(study)}


@pytest.fixture(scope="module")
def parts(make):
    return read({"train": make(900, 0), "holdout": make(600, 1), "synthetic": make(900, 2)})


def test_f1_and_auc_equal_those_of_scikit_learn():
    from sklearn.metrics import f1_score, roc_auc_score

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 300)
    chances = rng.dirichlet(np.ones(4), 300) + 0.3 * np.eye(4)[truth]
    chances /= chances.sum(axis=1, keepdims=True)
    guess = chances.argmax(axis=1)
    even = np.ones(300)
    assert macro_f1(truth, guess)(even) == pytest.approx(f1_score(truth, guess, average="macro"))
    expected = roc_auc_score(truth, chances, multi_class="ovr", average="macro")
    assert macro_auc(truth, chances)[0] == pytest.approx(expected)
    brier = ((chances - np.eye(4)[truth]) ** 2).sum(axis=1) / 2
    table = pd.DataFrame({"k": [f"L{i}" for i in truth], "x": np.arange(300.0)})
    found = squared_errors(chances, read({"t": table})["t"], "k")
    np.testing.assert_allclose(found, brier)


def test_a_category_is_classified_and_loses_when_columns_are_independent(make, independent):
    train, test = make(1200, 0), make(600, 1)
    good = metrics.efficacy.classification(train, test, target="datatype", **QUICK)
    bad = metrics.efficacy.classification(independent(train, 2), test, target="datatype", **QUICK)
    assert good["auc"] > bad["auc"] + 0.1
    assert good["f1"] > bad["f1"] + 0.1
    assert good["brier"] < bad["brier"]
    assert metrics.mlef(train, test, target="datatype", **QUICK) == good["brier"]
    with pytest.raises(MetricError, match="category column"):
        metrics.efficacy.classification(train, test, target="workload")


def test_a_level_that_the_table_has_not_gets_no_chance(make):
    train, test = make(400, 0), make(200, 1)
    narrow = train[train["datatype"].isin(["TYPE_0", "TYPE_1"])]
    found = metrics.efficacy.classification(narrow, test, target="datatype", **QUICK)
    assert all(np.isfinite(list(found.values())))


def test_several_fits_give_the_noise_of_learning_and_references(parts):
    scores = scored("workload", parts, catboost_depth=4)
    assert set(scores) == {"mlef", "diff_mlef", "efficacy_lost"}
    gap = scores["diff_mlef"]
    assert gap.real_vs_real == 0
    assert gap.value == pytest.approx(scores["mlef"].excess)
    assert gap.low < gap.value < gap.high
    variance = np.log(parts["holdout"].number("workload")).var()
    assert scores["efficacy_lost"].value == pytest.approx(gap.value / variance)


def test_a_category_as_target_has_f1_and_auc_beside_the_same_gate(parts):
    scores = scored("datatype", parts, catboost_depth=4)
    assert set(scores) == {"mlef", "diff_mlef", "efficacy_lost", "f1", "auc"}
    assert abs(scores["auc"].excess) < 0.1
    assert scores["f1"].better == "higher"
    assert scores["efficacy_lost"].excess < 0.25


def test_one_fit_cannot_tell_its_noise(parts):
    with pytest.raises(MetricError, match="efficacy_seeds"):
        scored("workload", parts, efficacy_seeds=1)


def test_income_of_the_adult_table_is_learnt(shared_data):
    adult = shared_data / "tabular"
    columns = [f"c{i}" for i in range(14)] + ["income"]
    names = ("adult-train.csv", "adult-test.csv")
    train, test = (
        pd.read_csv(adult / name, names=columns, skipinitialspace=True, comment="|", dtype=str)
        for name in names
    )
    rows = [t.assign(income=t["income"].str.strip(" .")).dropna().head(4000) for t in (train, test)]
    numbers = ["c0", "c2", "c4", "c10", "c11", "c12"]
    rows = [t.astype(dict.fromkeys(numbers, float)) for t in rows]
    found = metrics.efficacy.classification(*rows, target="income", iterations=30, depth=4)
    assert found["auc"] > 0.85
    assert found["f1"] > 0.7
