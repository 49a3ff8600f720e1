"""The autoregressive generator on a small graph: links, rules, bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import generators
from tests.generators.tables import mixed_table


@pytest.fixture(scope="module")
def pair() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table and a sample of the model fitted to it."""
    table = mixed_table(6000)
    model = generators.create(
        "autoregressive",
        iterations=300,
        batch=256,
        width=48,
        hidden=48,
        bins=40,
        learning_rate=1e-2,
    ).fit(table)
    return table, model.sample(6000, seed=1)


def test_categories_keep_their_shares_and_their_link(pair: Any) -> None:
    table, drawn = pair
    joint = [pd.crosstab(t["kind"], t["place"], normalize=True).stack() for t in (table, drawn)]
    assert joint[0].sub(joint[1], fill_value=0).abs().sum() / 2 < 0.08


def test_numbers_keep_their_distribution_and_links(pair: Any) -> None:
    table, drawn = pair
    for name in ("cost", "size", "files"):
        gap = stats.ks_2samp(table[name].astype(float), drawn[name].astype(float)).statistic
        assert gap < 0.05
    assert np.corrcoef(np.log1p(drawn["files"].astype(float)), np.log(drawn["cost"]))[0, 1] > 0.3


def test_values_within_a_bin_are_not_copies(pair: Any) -> None:
    table, drawn = pair
    assert drawn["cost"].isin(table["cost"]).mean() < 0.01


def test_a_rule_between_atoms_holds(pair: Any) -> None:
    _, drawn = pair
    assert ((drawn["files"] == 0) != (drawn["size"] == 0)).mean() < 0.004
