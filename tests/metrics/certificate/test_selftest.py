"""Known-answer cases run through the same metrics and margins; a wrong answer is void."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import metrics
from metrics import base
from metrics.base import Study
from metrics.certificate import policy, selftest
from metrics.tables.samples import read


@pytest.fixture(scope="module")
def study(make) -> Study:
    whole = make(14_000, 3).sample(frac=1, random_state=0)
    tables = read({
        "train": whole.iloc[:4000], "holdout": whole.iloc[4000:13_000],
        "synthetic": whole.iloc[13_000:],
    })  # fmt: skip
    rules = policy.load("default")
    settings = {**rules.settings, **rules.quick, "bootstrap": 12}
    return Study(**tables, target="workload", time="creationtime", seed=0, settings=settings)


@pytest.fixture
def quick(monkeypatch):
    kept = ("wd", "jsd", "diff_corr", "dcr")
    monkeypatch.setattr(base, "METRICS", {name: base.METRICS[name] for name in kept})


def test_every_case_is_answered_rightly_and_fresh_rows_get_the_best_grade(study, quick):
    results = selftest.run(study, policy.load("default"))
    cases = ["copy_leak", "interpolation", "independence", "fresh_draw", "unseen_holdout"]
    assert list(results) == cases
    assert all(entry["passed"] for entry in results.values()), results
    assert "grade A" in results["fresh_draw"]["reason"]
    assert study.notes == {}


LAX = {
    "copy_leak": {"exact_copies": 0.5},
    "interpolation": {"dcr_ks": 0.99, "near_copies": 0.99, "exact_copies": 0.5,
                      "closer_to_train": 0.9},
    "independence": {"wd": 0.03},
    "fresh_draw": {"wd.workload": 1e-9},
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(LAX))
def test_margins_that_let_a_known_fault_pass_or_fail_real_rows_are_found(study, quick, case):
    rules = policy.load("default")
    assert not selftest.CASES[case](study, replace(rules, margins=LAX[case]))[0]


def test_a_blind_metric_is_found(study, quick, monkeypatch):
    def blind(study):
        return [base.Score("diff_corr", 0, 0, 0, 0, 0.001, 9, part="fidelity")]

    monkeypatch.setattr(base, "load", lambda name: blind)
    results = selftest.run(study, policy.load("default"))
    assert not results["independence"]["passed"]
    assert not results["interpolation"]["passed"]


def test_a_crash_is_a_wrong_answer(study, quick, monkeypatch):
    def broken(name):
        raise ZeroDivisionError("by design")

    monkeypatch.setattr(base, "load", broken)
    results = selftest.run(study, policy.load("default"))
    assert not results["fresh_draw"]["passed"]
    assert "by design" in results["fresh_draw"]["reason"]


def test_too_few_held_out_rows_give_no_certificate(make, small, quick, monkeypatch):
    whole = make(1500, 1).sample(frac=1, random_state=0)
    card = metrics.certify(
        whole.iloc[:1000], whole.iloc[1000:1200], whole.iloc[1200:], policy=small, quick=True
    )
    assert (card.verdict, card.passed) == ("void", False)
    assert "too few" in card.failures["copy_leak (self-test)"]
    assert card.summary().startswith("VOID")


def test_interpolated_rows_lie_between_two_training_rows(study):
    rows = selftest._interpolated(study.train, np.random.default_rng(0))
    known = {tuple(codes) for codes in study.train.codes.tolist()}
    assert {tuple(codes) for codes in rows.codes.tolist()} <= known
    low, high = study.train.numbers.min(axis=0), study.train.numbers.max(axis=0)
    assert ((rows.numbers >= low) & (rows.numbers <= high)).all()
