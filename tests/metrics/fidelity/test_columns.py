"""WD and JSD equal their slow twins and their closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics
from metrics.errors import MetricError
from metrics.fidelity.columns import jsd_by_column, wd_by_column
from tests.oracles import metrics_twins as twins

values = st.lists(st.integers(-50, 1000).map(float), min_size=2, max_size=9)
words = st.lists(st.sampled_from("abcde"), min_size=1, max_size=30)


@given(values, values)
@settings(max_examples=40, deadline=None)
def test_wd_equals_its_twin_on_every_scale(x, real):
    low, span = min(real), (max(real) - min(real)) or 1.0
    log_span = np.log1p(max(real) - low) or 1.0
    known = sorted(set(real))
    scales = {
        "minmax": lambda v: (v - low) / span,
        "log": lambda v: np.sign(v - low) * np.log1p(abs(v - low)) / log_span,
        "rank": lambda v: np.interp(v, known, twins.mid_ranks(known, real), left=0, right=1),
    }
    for name, scale in scales.items():
        slow = twins.wasserstein([float(scale(v)) for v in x], [float(scale(v)) for v in real])
        fast = metrics.wd(pd.DataFrame({"x": x}), pd.DataFrame({"x": real}), scale=name)
        assert fast == pytest.approx(slow, abs=1e-9)


@given(words, words)
@settings(max_examples=40, deadline=None)
def test_jsd_equals_its_twin_and_is_symmetric(x, real):
    a, b = pd.DataFrame({"k": x}), pd.DataFrame({"k": real})
    assert metrics.jsd(a, b) == pytest.approx(twins.jensen_shannon(x, real), abs=1e-12)
    assert metrics.jsd(a, b) == pytest.approx(metrics.jsd(b, a), abs=1e-12)


def test_a_shift_by_half_the_range_scores_one_half():
    real = pd.DataFrame({"x": np.linspace(0, 1, 101)})
    assert metrics.wd(real + 0.5, real, scale="minmax") == pytest.approx(0.5)


def test_equal_tables_score_zero_and_disjoint_categories_one(make):
    table = make(200, 0)
    assert metrics.wd(table, table) == pytest.approx(0, abs=1e-12)
    assert metrics.jsd(table, table) == pytest.approx(0, abs=1e-12)
    other = table.assign(computingsite="X", datatype="Y")
    assert metrics.jsd(other, table) == pytest.approx(1.0)


def test_a_missing_share_counts_as_moved_by_a_whole_scale():
    real = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
    half = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0] + [None] * 4}, dtype=float)
    assert metrics.wd(half, real, scale="minmax") == pytest.approx(0.5)


def test_the_headline_is_the_mean_over_columns(make):
    a, b = make(300, 0), make(300, 1)
    assert metrics.wd(a, b) == pytest.approx(np.mean(list(wd_by_column(a, b).values())))
    assert metrics.jsd(a, b) == pytest.approx(np.mean(list(jsd_by_column(a, b).values())))


def test_tables_without_the_kind_of_column_and_unknown_scales_are_refused():
    numbers, levels = pd.DataFrame({"x": [1.0, 2.0]}), pd.DataFrame({"k": ["a", "b"]})
    for call in (
        lambda: metrics.jsd(numbers, numbers),
        lambda: metrics.wd(levels, levels),
        lambda: metrics.wd(numbers, numbers, scale="cubic"),
    ):
        with pytest.raises(MetricError):
            call()
