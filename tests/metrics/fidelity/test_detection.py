"""C2ST is at chance for real rows and high for dependent columns taken apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import metrics
from metrics.errors import MetricError
from metrics.fidelity.detection import separability
from metrics.tables.samples import read


def test_real_rows_are_at_chance_and_independent_columns_are_not(make, independent):
    real = make(1500, 0)
    assert metrics.c2st(make(1500, 1).assign(creationtime=real["creationtime"]), real) < 0.56
    assert metrics.c2st(independent(make(1500, 1), 2), real) > 0.7


def test_it_is_seeded(make):
    a, b = make(400, 0), make(400, 1)
    assert metrics.c2st(a, b, seed=4) == metrics.c2st(a, b, seed=4)


def test_more_levels_than_the_booster_holds_are_no_error():
    a, b = (pd.DataFrame({"k": [f"{s}{i}" for i in range(600)]}) for s in "ab")
    assert 0 <= metrics.c2st(a, b) <= 1


def test_too_few_rows_are_refused(make):
    with pytest.raises(MetricError, match="at least"):
        metrics.c2st(make(10, 0), make(10, 1))


def test_logistic_regression_sees_a_shifted_column_and_not_a_broken_dependence(make, independent):
    real, fresh = make(2000, 0), make(2000, 1)
    tables = read({
        "real": real,
        "shifted": fresh.assign(workload=fresh["workload"] * 3),
        "apart": independent(fresh, 2),
    })  # fmt: skip
    found = {
        word: separability(rows, tables["real"], np.random.default_rng(0), learner="logistic")[0]
        for word, rows in tables.items()
    }
    assert found["shifted"] > 0.7
    assert found["apart"] < 0.56
