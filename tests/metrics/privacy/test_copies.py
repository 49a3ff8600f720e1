"""Copies with one column redrawn or a little noise are found; fresh rows and chance are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import metrics
import panda_gym
from metrics import base
from metrics.certificate import policy, selftest
from metrics.privacy.copies import copies_proven, holdout_seen, partial_copies, row_hashes
from metrics.tables.samples import read
from tests.metrics.studies import scored, study_of

RULES = policy.load("default")


@pytest.fixture(scope="module")
def parts() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Training, held-out and fresh rows of the reference workload."""
    whole = panda_gym.reference_records(16_000, seed=5)
    whole = whole.sample(frac=1, random_state=0).reset_index(drop=True)
    return whole.iloc[:6000], whole.iloc[6000:11_000], whole.iloc[11_000:]


def leaked(parts, share, columns):
    """Return fresh rows with a share of training rows among them, some of their columns redrawn."""
    train, _, fresh = parts
    rng = np.random.default_rng(1)
    k = round(share * len(fresh))
    rows = train.iloc[rng.choice(len(train), k, replace=False)].reset_index(drop=True)
    for column in columns:
        rows[column] = fresh[column].array[rng.permutation(len(fresh))[:k]]
    return pd.concat([fresh.iloc[k:], rows], ignore_index=True)


def naive(sample, reference):
    """Slow twin: every row against every row."""
    a, b = (np.column_stack([s.numbers, s.codes]) for s in (sample, reference))
    equal = (a[:, None] == b[None]) | (np.isnan(a[:, None]) & np.isnan(b[None]))
    lacks = (~equal).sum(axis=2)
    return np.column_stack(
        [((lacks == 0) | ((lacks == 1) & ~equal[:, :, j])).any(axis=1) for j in range(a.shape[1])]
    )


def test_partial_copies_equal_those_found_by_looking_at_every_pair():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "x": rng.integers(0, 4, 300).astype(float), "y": rng.integers(0, 5, 300) - 2.0,
        "k": rng.choice(list("abc"), 300), "l": rng.choice(list("de"), 300),
    })  # fmt: skip
    table.loc[::9, "x"] = np.nan
    samples = read({"a": table.iloc[:150], "b": table.iloc[150:]})
    found = partial_copies(samples["a"], samples["b"])
    assert np.array_equal(found, naive(samples["a"], samples["b"]))
    assert 0 < found.mean() < 1


def test_entries_of_other_columns_or_places_do_not_cancel():
    table = pd.DataFrame({"x": [1.0, 2.0, 0.0], "y": [2.0, 1.0, 0.0], "z": [0.0, 0.0, 3.0]})
    hashes = row_hashes(read({"t": table})["t"]).sum(axis=1)
    assert len(np.unique(hashes)) == 3


@pytest.mark.parametrize("column", ["creationtime", "workload", "inputfilebytes"])
def test_a_leak_of_rows_with_one_column_redrawn_fails(parts, column):
    train, holdout, _ = parts
    found = scored("dcr", study_of(train, holdout, leaked(parts, 0.05, [column])))
    assert found["partial_copies"].excess > RULES.margin("partial_copies")
    assert found["exact_copies"].bound <= RULES.margin("exact_copies") * 2
    assert repr(column) in found["partial_copies"].note


def test_fresh_rows_and_a_table_of_one_column_have_no_copies_beyond_chance(parts):
    train, holdout, fresh = parts
    found = scored("dcr", study_of(train, holdout, fresh))
    for id in ("partial_copies", "tight_copies"):
        assert found[id].bound <= RULES.margin(id), id
    one = [t[["workload"]] for t in parts]
    assert scored("dcr", study_of(*one))["partial_copies"].value == 0


def test_near_copies_that_no_held_out_row_reaches_are_found(parts):
    train, holdout, fresh = parts
    rng = np.random.default_rng(2)
    rows = train.iloc[:40].assign(workload=lambda t: t["workload"] * (1 + 1e-6 * rng.random(40)))
    found = scored("dcr", study_of(train, holdout, pd.concat([fresh.iloc[40:], rows])))
    score = found["tight_copies"]
    assert score.value == pytest.approx(40 / 5000, rel=0.2)
    assert score.excess > RULES.margin("tight_copies")


def test_held_out_rows_that_were_published_void_the_certificate(parts):
    train, holdout, fresh = parts
    seen, reason = holdout_seen(study_of(train, holdout, holdout))
    assert seen
    assert "5000 of 5000 synthetic rows" in reason
    some = pd.concat([fresh.iloc[100:], holdout.iloc[:100]], ignore_index=True)
    assert holdout_seen(study_of(train, holdout, some))[0]
    study = study_of(train, holdout, fresh)
    assert not holdout_seen(study)[0]
    assert selftest.CASES["unseen_holdout"](study, RULES)[0]
    assert not selftest.CASES["unseen_holdout"](study_of(train, holdout, holdout), RULES)[0]


def test_rows_that_are_equal_by_chance_void_nothing():
    rng = np.random.default_rng(0)
    tables = [
        pd.DataFrame(
            {"workload": rng.integers(1, 9, 3000) * 1.0, "k": rng.choice(list("ab"), 3000)}
        )
        for _ in range(3)
    ]
    study = study_of(*(t.assign(creationtime=pd.Timestamp("2024-01-01")) for t in tables))
    assert not holdout_seen(study)[0]


def test_forty_copies_in_forty_thousand_rows_are_proven_and_a_cluster_is_not():
    none = (0, 1, 0, 1)
    assert copies_proven(40, 40_000, 0, 10_000, none) < 1e-3
    assert copies_proven(4, 40_000, 0, 10_000, none) > 1e-3
    assert copies_proven(400, 40_000, 60, 10_000, (30, 3000, 8, 800)) > 1e-3
    assert copies_proven(400, 40_000, 60, 10_000, (300, 3000, 8, 800)) < 1e-3


def test_a_proven_leak_of_copies_fails_though_its_margin_tolerates_it(parts, monkeypatch):
    train, holdout, fresh = parts
    kept = {name: base.METRICS[name] for name in ("wd", "jsd", "diff_corr", "dcr")}
    monkeypatch.setattr(base, "METRICS", kept)
    monkeypatch.setattr(selftest, "CASES", {})
    rows = pd.concat([fresh.iloc[11:], train.iloc[:11]], ignore_index=True)
    card = metrics.certify(train, holdout, rows, target=None, time=None, quick=True)
    assert card.document["curves"]["dcr"]["copy_leak_proven"]
    assert card.grades["privacy"] == "F"
    assert "exact copies of training rows" in card.failures["privacy (part)"]
    honest = metrics.certify(train, holdout, fresh, target=None, time=None, quick=True)
    assert not honest.document["curves"]["dcr"]["copy_leak_proven"]
    assert "privacy (part)" not in honest.failures
