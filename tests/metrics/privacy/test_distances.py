"""Planted leaks are found, chance is not called a leak, and tests keep their level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics.privacy.distances import copies_lower, exact_copies, ks_leak, least_copies_found
from metrics.tables.samples import read
from tests.metrics.studies import scored, study_of
from tests.oracles import metrics_twins as twins


def test_d_plus_equals_its_twin():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = (rng.integers(0, 12, rng.integers(2, 40)).astype(float) for _ in "ab")
        assert ks_leak(a, b)[0] == pytest.approx(twins.ks_plus(list(a), list(b)))


def test_the_ks_test_keeps_its_level_and_finds_a_leak():
    alarms = found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        holdout, fresh = rng.gamma(2.0, size=1500), rng.gamma(2.0, size=1500)
        d, critical, p = ks_leak(fresh, holdout)
        assert (d > critical) == (p < 0.05)
        alarms += d > critical
        fresh[:150] = 0.0  # a tenth of the rows copied
        found += ks_leak(fresh, holdout)[0] > critical
    assert alarms / 200 <= 0.1
    assert found / 200 >= 0.95


def test_exact_copies_equal_a_comparison_as_text(make):
    train, other = make(300, 0), make(100, 1)
    mixed = pd.concat([other, train.iloc[:7]], ignore_index=True)
    tables = read({"train": train, "mixed": mixed})
    assert exact_copies(tables["mixed"], tables["train"]).sum() == twins.copies(mixed, train) == 7


def test_rows_that_differ_only_in_being_missing_are_no_copies():
    train = pd.DataFrame({"x": [1.0, np.nan], "k": ["a", None]})
    other = pd.DataFrame({"x": [np.nan, np.nan, 7.0], "k": ["a", None, "a"]})
    tables = read({"train": train, "other": other})
    assert sorted(exact_copies(tables["other"], tables["train"])) == [False, False, True]


def test_the_smallest_leak_that_would_be_found_is_found_and_one_row_less_is_not():
    for k0, n0, n in ((0, 10_000, 40_000), (30, 5_000, 5_000)):
        share = least_copies_found(k0, n0, n, 0.05)
        k = round((share + k0 / n0) * n)
        assert copies_lower(k, n, k0, n0, 0.05) > 0
        assert copies_lower(k - 1, n, k0, n0, 0.05) <= 0


def test_one_index_serves_every_metric_that_searches_the_same_rows(make):
    study = study_of(make(600, 0), make(600, 1), make(600, 2))
    before = {}
    for name in ("dcr", "nndr", "membership"):
        scored(name, study)
        for word, space in study.shared.items():
            assert before.setdefault(word, space) is space
    assert {"training_space", "reference_space", "synthetic_space"} <= set(before)


def test_copies_of_lone_rows_have_a_small_ratio_and_copies_of_twins_do_not(make):
    train, holdout, fresh = make(1000, 0), make(1000, 1), make(1000, 2)
    clean = scored("nndr", study_of(train, holdout, fresh))["nndr"]
    leaky = scored("nndr", study_of(train, holdout, train))["nndr"]
    assert abs(clean.excess) < 0.05
    assert leaky.value == 0
    twins_of = pd.concat([train, train])
    assert scored("nndr", study_of(twins_of, holdout, train))["nndr"].value == 1
