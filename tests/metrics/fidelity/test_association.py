"""The association matrix equals its slow twin, entry by entry."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import metrics
from metrics.errors import MetricError
from metrics.fidelity.association import matrix, ranked
from metrics.tables.samples import read
from tests.oracles import metrics_twins as twins


def test_every_entry_equals_its_twin(make):
    table = make(250, 3)
    names = list(table.columns)
    found = metrics.fidelity.association_matrix(table)
    numbers = ("creationtime", "ninputdatafiles", "workload")
    plain = {c: table[c].astype("int64") if c == "creationtime" else table[c] for c in names}
    ranks = {c: twins.mid_ranks(*[list(plain[c])] * 2) for c in numbers}
    for a in names:
        for b in names:
            if a == b:
                expected = 1.0
            elif a in numbers and b in numbers:
                expected = np.corrcoef(ranks[a], ranks[b])[0, 1]
            elif a in numbers or b in numbers:
                number, level = (a, b) if a in numbers else (b, a)
                expected = twins.correlation_ratio(ranks[number], list(table[level]))
            else:
                expected = twins.theils_u(list(table[a]), list(table[b]))
            assert found.loc[a, b] == pytest.approx(expected, abs=1e-9), (a, b)


def test_weights_count_as_repeated_rows(make):
    sample = read({"t": make(120, 1)})["t"]
    times = np.random.default_rng(0).integers(0, 4, size=120)
    own = ranked(sample, sample)
    repeated = own.take(np.repeat(np.arange(120), times))
    np.testing.assert_allclose(matrix(own, times.astype(float)), matrix(repeated), atol=1e-9)


def test_diff_corr_is_the_mean_distance_of_entries_or_rows(make, independent):
    real = make(2000, 0)
    fake = independent(real, 1)
    a = metrics.fidelity.association_matrix(real).to_numpy()
    b = metrics.fidelity.association_matrix(fake).to_numpy()
    assert metrics.diff_corr(fake, real) == pytest.approx(np.abs(a - b).mean())
    rows = np.linalg.norm(a - b, axis=1).mean()
    assert metrics.diff_corr(fake, real, norm="row") == pytest.approx(rows)
    assert metrics.diff_corr(real, real) == 0
    with pytest.raises(MetricError, match="norm"):
        metrics.diff_corr(fake, real, norm="max")


def test_a_constant_column_has_no_association_and_no_nan(make):
    table = make(100, 0).assign(workload=1.0, datatype="only")
    found = metrics.fidelity.association_matrix(table)
    assert found.notna().all(axis=None)
    assert found.loc["workload"].drop("workload").abs().max() < 1e-12
    assert found.loc["datatype"].drop("datatype").abs().max() < 1e-12


def test_a_function_of_a_column_has_full_association():
    level = ["a", "b", "c", "a", "b", "c"]
    table = pd.DataFrame({"x": level, "y": [v.upper() for v in level], "n": [1, 2, 3, 1, 2, 3]})
    assert np.allclose(metrics.fidelity.association_matrix(table).loc[["x", "y"], :], 1.0)
