"""Linking halves and guessing secrets: kernels equal every pair, copies leak, fresh rows do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics.errors import NotApplicable
from metrics.privacy.inference import closest_without, guessed
from metrics.privacy.linkability import nearest_rows
from metrics.tables.gower import cloud_of
from metrics.tables.samples import read
from tests.metrics.studies import scored, study_of


def points(rng: np.random.Generator, d: int, e: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.random((d, n)).astype(np.float32), rng.integers(0, 3, (e, n)).astype(np.int32)


def distances(x, c, numbers, codes) -> np.ndarray:
    """float64[columns, queries, rows]."""
    own = [np.abs(a[:, None] - b[None]) for a, b in zip(x, numbers, strict=True)]
    own += [(a[:, None] != b[None]).astype(float) for a, b in zip(c, codes, strict=True)]
    return np.array(own)


@pytest.mark.parametrize(("d", "e"), [(2, 3), (0, 4), (3, 0)])
def test_the_kernels_equal_every_pair(d, e):
    rng = np.random.default_rng(d)
    queries, rows = points(rng, d, e, 40), points(rng, d, e, 5000)
    apart = distances(*queries, *rows)
    near = nearest_rows(*queries, *rows, 5)
    found = np.take_along_axis(apart.sum(axis=0), near, axis=1)
    np.testing.assert_allclose(found, np.sort(apart.sum(axis=0), axis=1)[:, :5], atol=1e-5)
    assert all(len(set(row)) == 5 for row in near)
    at = closest_without(*queries, *rows)
    for s in range(d + e):
        rest = apart.sum(axis=0) - apart[s]
        np.testing.assert_allclose(rest[np.arange(40), at[:, s]], rest.min(axis=1), atol=1e-5)


def test_fewer_rows_than_neighbours_are_no_error():
    rng = np.random.default_rng(0)
    queries, rows = points(rng, 1, 1, 4), points(rng, 1, 1, 2)
    assert (nearest_rows(*queries, *rows, 5)[:, 2:] == -1).all()


def test_a_guess_is_right_within_its_tolerance_and_from_the_nearest_row():
    train = pd.DataFrame({
        "t": pd.to_datetime(["2024-01-01 10:00", "2024-01-05 10:00"]),
        "x": [100.0, 200.0],
        "k": ["a", "b"],
    })  # fmt: skip
    rows = train.assign(x=[104.0, 230.0], t=train["t"] + pd.Timedelta(minutes=59))
    tables = read({"train": train, "rows": rows})
    right = guessed(tables["train"], tables["rows"], tables["train"])
    np.testing.assert_array_equal(right, [[True, True, True], [True, False, True]])


def test_missing_numbers_are_a_category_where_train_has_them():
    table = pd.DataFrame({"x": [1.0, np.nan, 3.0], "k": ["a", "b", "a"]})
    sample = read({"t": table})["t"]
    numbers, codes = cloud_of(sample, sample, ["x", "k"])
    assert numbers.shape == (1, 3)
    assert codes.shape == (2, 3)
    right = guessed(sample, sample, sample)
    assert right.shape == (3, 2)
    assert right[np.isnan(sample.number("x")), 0].all()


@pytest.mark.parametrize(
    ("metric", "id"), [("linkability", "linkability"), ("inference", "inference")]
)
def test_copies_leak_and_fresh_rows_do_not(make, metric, id):
    train, holdout, fresh = make(2000, 0), make(2000, 1), make(2000, 2)
    copied = scored(metric, study_of(train, holdout, train))
    clean = scored(metric, study_of(train, holdout, fresh))
    assert "a leak is shown" in copied[id].note
    assert copied[id].excess > 0.1
    assert clean[id].excess < 0.1
    if metric == "inference":
        assert copied["inference.workload"].value == 1
        assert {f"inference.{c}" for c in train} <= set(clean)


@pytest.mark.parametrize("metric", ["linkability", "inference"])
def test_too_few_columns_are_left_out_with_a_reason(make, metric):
    tables = [make(50, i)[["workload"]] for i in range(3)]
    with pytest.raises(NotApplicable, match="columns"):
        scored(metric, study_of(*tables))
