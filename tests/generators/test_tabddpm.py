"""TabDDPM on a small graph: links, rules and choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import generators
from tests.generators.tables import mixed_table

CONFIG: dict[str, Any] = {
    "width": 48,
    "hidden": 48,
    "batch": 256,
    "learning_rate": 5e-3,
    "evaluate_every": 100,
}


@pytest.fixture(scope="module")
def pair() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table and a sample of the model fitted to it."""
    table = mixed_table(6000)
    model = generators.create("tabddpm", iterations=500, **CONFIG).fit(table)
    return table, model.sample(6000, seed=1)


def test_categories_keep_their_shares_and_their_link(pair: Any) -> None:
    table, drawn = pair
    joint = [pd.crosstab(t["kind"], t["place"], normalize=True).stack() for t in (table, drawn)]
    assert joint[0].sub(joint[1], fill_value=0).abs().sum() / 2 < 0.08


def test_numbers_keep_their_distribution_and_their_link_to_a_category(pair: Any) -> None:
    table, drawn = pair
    for name in ("cost", "size", "files"):
        gap = stats.ks_2samp(table[name].astype(float), drawn[name].astype(float)).statistic
        assert gap < 0.06
    means = [np.log(t["cost"]).groupby(t["kind"], observed=True).mean()[:3] for t in (table, drawn)]
    assert np.allclose(means[0], means[1], atol=0.15)
    assert np.corrcoef(np.log1p(drawn["files"].astype(float)), np.log(drawn["cost"]))[0, 1] > 0.3


def test_a_rule_between_atoms_holds(pair: Any) -> None:
    _, drawn = pair
    assert ((drawn["files"] == 0) != (drawn["size"] == 0)).mean() < 0.004


def test_the_daily_cycle_returns(pair: Any) -> None:
    table, drawn = pair
    hours = [t["when"].dt.hour.value_counts(normalize=True).sort_index() for t in (table, drawn)]
    assert hours[0].sub(hours[1], fill_value=0).abs().sum() / 2 < 0.08


@pytest.mark.parametrize("process", ["masked", "multinomial"])
def test_the_other_processes_learn_too(process: str) -> None:
    table = mixed_table(4000)[["kind", "place", "cost"]]
    model = generators.create("tabddpm", iterations=300, process=process, **CONFIG).fit(table)
    drawn = model.sample(4000)
    joint = [pd.crosstab(t["kind"], t["place"], normalize=True).stack() for t in (table, drawn)]
    assert joint[0].sub(joint[1], fill_value=0).abs().sum() / 2 < 0.15


@pytest.mark.parametrize("solver", ["ddim", "ancestral"])
def test_the_other_solvers_give_rows_within_bounds(solver: str) -> None:
    table = mixed_table(300)
    drawn = (
        generators.create("tabddpm", iterations=20, solver=solver, steps=5, **CONFIG)
        .fit(table)
        .sample(50)
    )
    assert drawn["cost"].between(table["cost"].min(), table["cost"].max()).all()
