"""Predicates isolate what they should, and copied rows are singled out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics.errors import NotApplicable
from metrics.privacy.singling_out import COLUMNS, Predicates, columns_of, multivariate, univariate
from metrics.tables.samples import read
from tests.metrics.studies import scored, study_of


def fits(predicates: Predicates, p: int, row: np.ndarray) -> bool:
    found = True
    for j, low, high in zip(
        *(getattr(predicates, w)[p] for w in ("columns", "low", "high")), strict=True
    ):
        found &= bool(np.isnan(row[j]) if np.isnan(low) else low <= row[j] <= high)
    return found


def test_isolation_equals_a_look_at_every_row(make):
    table = make(120, 0)
    table.loc[3, "ninputdatafiles"] = pd.NA
    columns = columns_of(read({"t": table})["t"])
    for offer in (
        univariate(columns, 3),
        multivariate(columns, 3, 300, np.random.default_rng(0)),
    ):
        expected = [sum(fits(offer, p, row) for row in columns.T) == 1 for p in range(len(offer))]
        np.testing.assert_array_equal(offer.isolate(columns), expected)


def test_predicates_have_their_columns_and_hold_for_the_row_they_were_read_from(make):
    columns = columns_of(read({"t": make(50, 0)})["t"])
    offer = multivariate(columns, 3, 200, np.random.default_rng(1))
    assert offer.columns.shape == (200, COLUMNS)
    assert all(len(set(at)) == COLUMNS for at in offer.columns)
    for p in range(200):
        assert any(fits(offer, p, row) for row in columns.T)


def test_copies_of_training_rows_are_singled_out_and_fresh_rows_are_not(make):
    train, holdout, fresh = make(1500, 0), make(1500, 1), make(1500, 2)
    copied = scored("singling_out", study_of(train, holdout, train))
    clean = scored("singling_out", study_of(train, holdout, fresh))
    for id in ("singling_out_univariate", "singling_out_multivariate"):
        assert "a leak is shown" in copied[id].note
        assert copied[id].value == 1
        assert clean[id].excess < 0.1


def test_a_table_without_lone_rows_is_left_out_with_a_reason():
    table = pd.DataFrame({"a": ["x", "y"] * 50, "b": ["u", "v"] * 50})
    with pytest.raises(NotApplicable, match="isolate"):
        scored("singling_out", study_of(table, table[::-1], table))
