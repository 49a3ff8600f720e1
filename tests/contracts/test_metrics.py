"""Every registered metric keeps the contract: scores with a reference, seeded, in its part."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import metrics
import panda_gym
from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.tables.samples import read


@pytest.fixture(scope="module")
def studies() -> dict[str, Study]:
    """Fresh real rows and independent columns, both judged against the same real rows."""
    whole = panda_gym.reference_records(9000, seed=3)
    whole = whole.sample(frac=1, random_state=0).reset_index(drop=True)
    train, holdout, fresh = whole.iloc[:3000], whole.iloc[3000:6000], whole.iloc[6000:]
    rng = np.random.default_rng(0)
    apart = fresh.assign(**{c: fresh[c].array[rng.permutation(len(fresh))] for c in fresh})
    rules = policy.load("default")
    settings = {**rules.settings, **rules.quick, "catboost_iterations": 20, "catboost_depth": 4}
    settings["detection_rows"] = 1500
    outcomes = {word: pd.DataFrame(rng.normal(size=(4, 12))) for word in ("real", "synthetic")}
    return {
        word: Study(
            **read({"train": train, "holdout": holdout, "synthetic": rows}),
            target="workload",
            time="creationtime",
            seed=0,
            settings=settings,
            loss=lambda rows: np.log(rows["workload"].to_numpy()),
            outcomes=outcomes,
        )
        for word, rows in (("fresh", fresh), ("apart", apart), ("again", fresh))
    }


@pytest.fixture(scope="module")
def grouped(studies: dict[str, Study]) -> dict[str, Study]:
    """The same with tasks, which no two tables share."""
    whole = panda_gym.reference_records(20_000, seed=3, keep=["jeditaskid"])
    parts = [whole[whole["jeditaskid"] % 3 == k].reset_index(drop=True) for k in range(3)]
    rng = np.random.default_rng(0)
    apart = parts[2].assign(
        **{c: parts[2][c].array[rng.permutation(len(parts[2]))] for c in parts[2]}
    )
    made = {"fresh": parts[2], "apart": apart, "again": parts[2]}
    return {
        word: replace(
            studies[word],
            **read({"train": parts[0], "holdout": parts[1], "synthetic": rows}, "jeditaskid"),
        )
        for word, rows in made.items()
    }


NEEDS_GROUPS = ("group_membership",)


@pytest.fixture
def judged(name: str, request: pytest.FixtureRequest) -> dict[str, Study]:
    """The studies that a metric is made for."""
    return request.getfixturevalue("grouped" if name in NEEDS_GROUPS else "studies")


def test_every_metric_has_a_part_and_every_public_name_is_there():
    assert {metric.part for metric in base.METRICS.values()} == set(base.PARTS)
    assert all(metric.label and metric.unit for metric in base.METRICS.values())
    for name in metrics.__all__:
        assert getattr(metrics, name) is not None
    assert set(metrics.__all__) <= set(dir(metrics))


@pytest.mark.parametrize("name", base.names())
def test_scores_are_finite_named_seeded_and_have_a_reference(name, judged):
    scores = base.load(name)(judged["fresh"])
    assert scores
    assert len({s.id for s in scores}) == len(scores)
    for score in scores:
        assert score.part == base.METRICS[name].part
        assert np.isfinite(
            [score.value, score.low, score.high, score.real_vs_real, score.bound]
        ).all()
        assert score.low - 1e-9 <= score.value <= score.high + 1e-9
        assert score.bound >= score.excess - 1e-9 or score.id == "dcr_ks"
        assert score.better in ("lower", "higher")
        assert score.id != name or score.better == base.METRICS[name].better
        assert score.note
        assert score.margin is None  # margins are the policy's business
    assert base.load(name)(judged["again"]) == scores


@pytest.mark.parametrize("name", base.names())
def test_real_rows_stay_near_their_reference_and_independent_columns_do_not_beat_them(name, judged):
    rules = policy.load("default")
    real = {s.id: s for s in base.load(name)(judged["fresh"])}
    apart = {s.id: s for s in base.load(name)(judged["apart"])}
    assert set(real) == set(apart)
    for id, score in real.items():
        margin = rules.margin(id)
        if margin is not None:
            assert score.excess <= margin, id
    watched = {"diff_corr": "diff_corr", "c2st": "c2st", "mlef": "mlef", "time": "batches"}
    if name in watched:
        assert apart[watched[name]].excess > real[watched[name]].excess


@pytest.mark.parametrize("target", sorted(metric.measure for metric in base.METRICS.values()))
def test_every_module_of_a_metric_says_what_it_does(target):
    module = importlib.import_module(target.partition(":")[0])
    assert len(module.__doc__ or "") > 100


def test_metrics_load_neither_torch_nor_catboost_nor_the_other_packages():
    code = (
        "import sys, metrics; metrics.dcr, metrics.certify, metrics.report.write_html; "
        "print([m for m in ('torch', 'catboost', 'generators', 'panda_gym') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tables_of_another_field_are_judged_too():
    rng = np.random.default_rng(0)
    age = rng.integers(17, 90, 24_000)
    table = pd.DataFrame({
        "age": age,
        "income": np.where(age + rng.normal(0, 20, 24_000) > 50, ">50K", "<=50K"),
        "hours": rng.normal(40, 9, 24_000),
    })  # fmt: skip
    parts = table.iloc[:8000], table.iloc[8000:16_000], table.iloc[16_000:]
    card = metrics.certify(*parts, target=None, time=None, quick=True)
    assert card.grades["fidelity"] in "AB"
    assert card.passed, card.failures
    assert card.grades["efficacy"] == "-"
    assert "needed a target column" in card.document["left_out"]["mlef"]
