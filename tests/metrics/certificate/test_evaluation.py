"""The evaluation passes real rows, fails known cases, never loses a crash, and repeats itself."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import metrics
from metrics import base
from metrics.certificate.certificate import canonical
from metrics.errors import MetricError
from metrics.report.explanations import meanings

LIGHT = ("wd", "jsd", "diff_corr", "strata", "dcr", "time")
NO_TREES = {name: base.METRICS[name] for name in LIGHT}
"""The metrics that the evaluation is tried on: quick ones of every part but efficacy."""


@pytest.fixture(scope="module")
def tables(make):
    whole = make(9000, 7).sample(frac=1, random_state=0).reset_index(drop=True)
    return whole.iloc[:4000], whole.iloc[4000:6000], whole.iloc[6000:]


@pytest.fixture(scope="module")
def fresh(tables, small):
    return metrics.certify(*tables, policy=small, quick=True)


def test_fresh_real_rows_pass_with_the_papers_scores_beside_their_references(fresh):
    assert fresh.passed, fresh.summary()
    assert {"wd", "jsd", "diff_corr", "c2st", "mlef", "diff_mlef", "dcr"} <= set(fresh.scores)
    for score in fresh.scores.values():
        assert np.isfinite(
            [score.value, score.low, score.high, score.real_vs_real, score.bound]
        ).all()
        assert score.low - 1e-9 <= score.value <= score.high + 1e-9, score.id
        assert score.n > 0


def test_every_known_answer_case_is_answered_rightly(fresh):
    results = fresh.document["self_test"]
    assert set(results) == {
        "copy_leak",
        "interpolation",
        "independence",
        "fresh_draw",
        "unseen_holdout",
    }
    assert all(entry["passed"] for entry in results.values()), results


def test_same_inputs_give_the_same_bytes_and_row_order_changes_nothing(tables, fresh, small):
    mixed = [t.sample(frac=1, random_state=3) for t in tables]
    again = metrics.certify(*mixed, policy=small, quick=True)
    without = [{k: v for k, v in c.document.items() if k != "times"} for c in (fresh, again)]
    assert canonical(without[0]) == canonical(without[1])
    assert again.fingerprint == fresh.fingerprint


def test_another_seed_changes_draws_but_not_the_hashes(tables, fresh, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    other = metrics.certify(*tables, policy=small, quick=True, seed=5)
    assert other.document["sha256"] == fresh.document["sha256"]
    assert other.scores["diff_corr"].value != fresh.scores["diff_corr"].value


def test_independent_columns_fail_fidelity(tables, independent, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", {**NO_TREES, "c2st": base.METRICS["c2st"]})
    train, holdout, rows = tables
    card = metrics.certify(train, holdout, independent(rows, 0), policy=small, quick=True)
    assert not card.passed
    assert {"diff_corr", "c2st"} <= set(card.failures)


@pytest.mark.parametrize("share", [0.005, 0.02])
def test_copies_fail_privacy_and_are_called_a_leak(tables, small, share, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    train, holdout, rows = tables
    leak = pd.concat([rows, train.iloc[: round(share * len(rows))]])
    card = metrics.certify(train, holdout, leak, policy=small, quick=True)
    assert "exact_copies" in card.failures
    assert "leak was found" in card.document["privacy"]["statement"]


def test_rows_between_training_rows_fail_privacy(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    train, holdout, _ = tables
    order = train.sort_values(["computingsite", "datatype", "creationtime"])
    near = order.assign(workload=order["workload"] * 1.001)
    card = metrics.certify(train, holdout, near, policy=small, quick=True)
    assert card.grades["privacy"] == "F"
    assert {"dcr_ks", "near_copies"} <= set(card.failures)


def test_no_leak_is_said_with_the_power_it_was_looked_for(fresh):
    privacy = fresh.document["privacy"]
    assert "No leak found at this power" in privacy["statement"]
    assert 0 < privacy["least_copy_leak"] < 0.01


def broken(study):
    raise ZeroDivisionError("by design")


def nan(study):
    return [base.Score("wd", *[float("nan")] * 5, n=1, part="fidelity")]


def silent(study):
    return []


@pytest.mark.parametrize(
    ("name", "word"),
    [("broken", "wd (metric)"), ("nan", "wd"), ("silent", "wd (metric)")],
)
def test_a_crash_or_a_nan_fails_and_stays_in_the_file(
    tables, small, tmp_path, monkeypatch, name, word
):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    monkeypatch.setattr(base, "load", lambda key, known=base.load: (
        globals()[name] if key == "wd" else known(key)
    ))  # fmt: skip
    card = metrics.certify(*tables, policy=small, quick=True)
    card = metrics.Certificate.from_json(card.to_json(tmp_path / "c.json"))
    assert not card.passed
    assert word in card.failures
    assert card.grades["fidelity"] == "F"


def test_a_table_of_numbers_alone_leaves_out_what_needs_categories(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    plain = [t[["workload", "ninputdatafiles", "creationtime"]] for t in tables]
    card = metrics.certify(*plain, policy=small, quick=True)
    assert set(card.document["left_out"]) == {"jsd"}
    assert not card.document["failures"]


def test_a_gated_part_without_scores_fails(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    card = metrics.certify(*tables, policy=small, quick=True)
    assert card.failures["efficacy (part)"]


def test_a_misspelt_margin_does_not_go_unnoticed(tables, tmp_path, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    path = tmp_path / "own.toml"
    path.write_text(small.read_text().replace('"diff_corr" =', '"diffcorr" ='))
    card = metrics.certify(*tables, policy=path, quick=True)
    assert "diffcorr (margin)" in card.failures


def test_a_policy_that_demands_rankings_is_not_met_without_them(
    tables, tmp_path, small, monkeypatch
):
    kept = {name: base.METRICS[name] for name in ("wd", "ranking")}
    monkeypatch.setattr(base, "METRICS", kept)
    path = tmp_path / "own.toml"
    path.write_text(small.read_text().replace("[margins]", '[margins]\n"ranking_tau" = 0.5'))
    card = metrics.certify(*tables, policy=path, quick=True)
    assert "ranking_tau (margin)" in card.failures
    rows = pd.DataFrame(np.arange(4.0)[:, None] + np.zeros((4, 10)), index=list("abcd"))
    card = metrics.certify(
        *tables, policy=path, quick=True, outcomes={"real": rows, "synthetic": rows}
    )
    assert card.scores["ranking_tau"].passed
    assert not [id for id in card.failures if id.startswith("ranking")]


def test_a_table_without_categories_is_not_asked_for_their_scores(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    plain = [t[["workload", "ninputdatafiles", "creationtime"]] for t in tables]
    card = metrics.certify(*plain, policy=small, quick=True)
    assert not [id for id in card.failures if id.startswith(("jsd", "novel"))]


def test_tables_without_time_leave_the_temporal_part_out(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    plain = [t.drop(columns="creationtime") for t in tables]
    card = metrics.certify(*plain, time=None, policy=small, quick=True)
    assert card.document["left_out"]
    assert not any("time" in reason for reason in card.failures)
    card = metrics.certify(*plain, policy=small, quick=True)
    assert "time (metric)" in card.failures


@pytest.mark.parametrize("column", ["datatype", "workload"])
def test_constant_columns_and_unseen_levels_are_scored_without_a_crash(
    tables, small, column, monkeypatch
):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    train, holdout, rows = tables
    value = "<script>" if column == "datatype" else 3.5
    card = metrics.certify(train, holdout, rows.assign(**{column: value}), policy=small, quick=True)
    assert not card.document["failures"]
    assert not card.passed


def test_a_missing_target_fails_its_part_with_the_reason(tables, small, monkeypatch):
    kept = {name: base.METRICS[name] for name in ("wd", "mlef")}
    monkeypatch.setattr(base, "METRICS", kept)
    card = metrics.certify(
        *[t.iloc[:900] for t in tables], target="power", policy=small, quick=True
    )
    assert "power" in card.failures["mlef (metric)"]


def test_few_rows_fail_instead_of_raising(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", {**NO_TREES, "c2st": base.METRICS["c2st"]})
    card = metrics.certify(*[t.iloc[:30] for t in tables], policy=small, quick=True)
    assert not card.passed


@pytest.mark.parametrize("seed", [1.0, "1", True, -1, None])
def test_a_wrong_seed_is_refused(tables, seed):
    with pytest.raises(MetricError, match="seed"):
        metrics.certify(*tables, seed=seed)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_a_wrong_number_of_threads_is_refused(tables, threads):
    with pytest.raises(MetricError, match="threads"):
        metrics.certify(*tables, threads=threads)


def test_a_holdout_that_was_trained_on_is_refused(tables):
    train, _, rows = tables
    with pytest.raises(MetricError, match="held-out"):
        metrics.certify(train, train.sample(frac=1, random_state=0), rows, quick=True)


def test_origin_weights_policy_and_sizes_are_written_down(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    train = tables[0].copy()
    train.attrs["origin"] = "a stand-in"
    card = metrics.certify(train, *tables[1:], policy=small, quick=True, weights_sha256="ab" * 32)
    document = card.document
    assert document["provenance"]["origin"] == "a stand-in"
    assert document["sha256"]["weights"] == "ab" * 32
    assert document["sizes"] == {"train": 4000, "holdout": 2000, "synthetic": 3000}
    assert document["sha256"]["train"] == metrics.table_sha256(train)
    assert document["policy"]["version"]
    assert document["quick"] is True


def test_rare_levels_and_extremes_are_not_published(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    train = tables[0].copy()
    train["datatype"] = train["datatype"].astype(str)
    train.loc[train.index[:3], "datatype"] = "A_SECRET"
    train.loc[train.index[0], "workload"] = 123456789.123
    rest = [t.assign(datatype=t["datatype"].astype(str)) for t in tables[1:]]
    text = json.dumps(metrics.certify(train, *rest, policy=small, quick=True).document)
    assert "A_SECRET" not in text
    assert "123456789" not in text


def test_a_score_knows_its_grade():
    score = base.Score("x", 0.2, 0.1, 0.3, 0.1, 0.15, 10, margin=0.1, part="fidelity")
    assert (score.passed, score.grade) == (False, "C")
    assert replace(score, bound=0.1).grade == "B"
    assert replace(score, bound=0.05).grade == "A"
    assert replace(score, value=0.5, bound=0.6).grade == "F"
    assert replace(score, margin=None).grade == "-"
    assert replace(score, better="higher").excess == pytest.approx(-0.1)


def test_a_constant_target_fails_its_part_with_the_reason(tables, small, monkeypatch):
    kept = {name: base.METRICS[name] for name in ("wd", "mlef")}
    monkeypatch.setattr(base, "METRICS", kept)
    constant = [t.iloc[:900].assign(workload=2.0) for t in tables]
    card = metrics.certify(*constant, policy=small, quick=True)
    assert "constant" in card.failures["mlef (metric)"]
    assert card.grades["efficacy"] == "F"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_column_without_any_value_is_one_clear_error(tables, place):
    parts = list(tables)
    parts[place] = parts[place].assign(workload=np.nan)
    with pytest.raises(MetricError, match="only missing ones"):
        metrics.certify(*parts, quick=True)


def test_tables_that_differ_are_one_clear_error(tables):
    train, holdout, rows = tables
    with pytest.raises(MetricError, match="columns of train"):
        metrics.certify(train, holdout.drop(columns="datatype"), rows)
    with pytest.raises(MetricError, match="as in train"):
        metrics.certify(train, holdout, rows.assign(workload=rows["workload"].astype(str)))


@pytest.mark.parametrize("case", ["copy_leak", "fresh_draw"])
def test_a_self_test_that_misses_makes_the_certificate_void(tables, small, case, monkeypatch):
    monkeypatch.setattr(base, "METRICS", NO_TREES)
    wrong = {case: lambda study, rules: (False, "it was missed")}
    monkeypatch.setattr("metrics.certificate.selftest.CASES", wrong)
    card = metrics.certify(*tables, policy=small, quick=True)
    assert (card.verdict, card.passed) == ("void", False)
    assert card.failures[f"{case} (self-test)"] == "it was missed"


def test_outcomes_of_policies_are_scored_and_hashed(tables, small, monkeypatch):
    monkeypatch.setattr(base, "METRICS", {**NO_TREES, "ranking": base.METRICS["ranking"]})
    rng = np.random.default_rng(0)
    outcomes = {
        word: pd.DataFrame(
            np.arange(4.0)[:, None] + 0.1 * rng.normal(size=(4, 10)), index=list("abcd")
        )
        for word in ("real", "synthetic")
    }
    card = metrics.certify(*tables, policy=small, quick=True, outcomes=outcomes)
    assert card.scores["ranking_tau"].value == 1.0
    words = meanings(card)["To train or test a scheduler on it"]
    assert "by a tau of 1.00" in words
    assert "is 0.0% worse on real ones" in words
    other = {**outcomes, "real": outcomes["real"] + 1e-9}
    again = metrics.certify(*tables, policy=small, quick=True, outcomes=other)
    assert card.document["sha256"]["outcomes"] != again.document["sha256"]["outcomes"]
    assert metrics.certify(*tables, policy=small, quick=True).document["sha256"]["outcomes"] is None
    with pytest.raises(MetricError, match="DataFrames"):
        metrics.certify(*tables, policy=small, quick=True, outcomes={"real": [1, 2]})
