"""Classes of equal categories are counted, and rare combinations that come back are seen."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from metrics.errors import NotApplicable
from metrics.privacy.k_anonymity import class_sizes
from metrics.tables.samples import read
from tests.metrics.studies import scored, study_of


def test_class_sizes_equal_a_count_of_tuples(make):
    tables = read({"a": make(300, 0), "b": make(200, 1)})
    counted = Counter(map(tuple, tables["a"].codes))
    expected = [counted[tuple(row)] for row in tables["b"].codes]
    np.testing.assert_array_equal(class_sizes(tables["b"], tables["a"]), expected)


def test_rare_combinations_of_train_that_come_back_too_often_are_shown():
    rng = np.random.default_rng(0)

    def table(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        return pd.DataFrame({"a": rng.zipf(1.6, 3000) % 500, "b": rng.integers(0, 9, 3000)}).astype(
            str
        )

    train, holdout, fresh = table(0), table(1), table(2)
    counts = train.groupby(["a", "b"])["a"].transform("size")
    rare = train[counts == 1]
    leaky = pd.concat([fresh.iloc[300:], rare.iloc[rng.integers(len(rare), size=300)]])
    clean = scored("k_anonymity", study_of(train, holdout, fresh))
    found = scored("k_anonymity", study_of(train, holdout, leaky))
    assert "no leak found" in clean["rare_combinations"].note
    assert "a leak is shown" in found["rare_combinations"].note
    assert clean["k_anonymity"].excess == pytest.approx(0, abs=0.03)


def test_a_table_of_numbers_is_left_out(make):
    with pytest.raises(NotApplicable, match="category"):
        scored("k_anonymity", study_of(*[make(50, i)[["workload"]] for i in range(3)]))
