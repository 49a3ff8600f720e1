"""Row-aligned columns: the same for a perfect generator and a table of independent columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.fidelity.paper_compat import aligned_jsd, aligned_wd
from metrics.tables.samples import read


def test_rows_aligned_with_themselves_score_zero_and_pairs_follow_the_definition():
    a = pd.DataFrame({"x": [0.0, 2.0, np.nan, 4.0], "k": ["a", "b", "a", "a"]})
    b = pd.DataFrame({"x": [2.0, 2.0, 1.0, np.nan], "k": ["a", "a", "a", "b"]})
    tables = read({"a": a, "b": b})
    left, right = tables["a"], tables["b"]
    assert not aligned_wd(left, left, left).any()
    assert not aligned_jsd(left, left).any()
    spread = np.nanstd(a["x"])
    lines = zip(left.numbers[:, 0], right.numbers[:, 0], strict=True)
    expected = [
        1.0 if np.isnan(x) != np.isnan(y) else 0.0 if np.isnan(x) else abs(x - y) / spread
        for x, y in lines
    ]
    np.testing.assert_allclose(aligned_wd(left, right, left)[:, 0], expected)
    differ = left.codes[:, 0] != right.codes[:, 0]
    np.testing.assert_array_equal(aligned_jsd(left, right)[:, 0], differ)


def test_independent_columns_score_like_real_ones_and_nothing_is_graded(make, independent):
    rules = policy.load("default")
    rows = independent(make(3000, 2), 0)
    tables = read({"train": make(3000, 0), "holdout": make(3000, 1), "synthetic": rows})
    study = Study(**tables, target=None, time=None, seed=0, settings=rules.settings)
    scores = base.load("paper_compat")(study)
    assert {s.id for s in scores} == {"paper_compat_wd", "paper_compat_jsd"}
    for score in scores:
        assert score.value > 0.5
        assert abs(score.excess) < 0.06
        assert rules.margin(score.id) is None
        assert score.value == pytest.approx((score.low + score.high) / 2)
