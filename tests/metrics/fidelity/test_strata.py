"""What averages are blind to is seen: cut tails, dropped rare levels, broken pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics import base
from metrics.base import Study
from metrics.certificate import policy
from metrics.tables.samples import read


def scored(train: pd.DataFrame, holdout: pd.DataFrame, rows: pd.DataFrame) -> dict:
    rules = policy.load("default")
    tables = read({"train": train, "holdout": holdout, "synthetic": rows})
    settings = {**rules.settings, "bootstrap": 20}
    study = Study(**tables, target=None, time=None, seed=0, settings=settings)
    return {score.id: score for score in base.load("strata")(study)}


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    x = rng.lognormal(size=30_000)
    level = np.where(rng.random(30_000) < 0.008, "rare", np.where(x > 1, "large", "small"))
    table = pd.DataFrame({"x": x, "k": level})
    return table.iloc[:10_000], table.iloc[10_000:20_000], table.iloc[20_000:]


def test_fresh_rows_stay_near_the_reference(parts):
    for score in scored(*parts).values():
        assert score.excess < 0.25, score.id


def test_a_cut_tail_a_dropped_level_and_a_broken_pair_are_seen_where_they_are(parts):
    train, holdout, rows = parts
    cut = rows.assign(x=rows["x"].clip(upper=train["x"].quantile(0.985)))
    dropped = rows.assign(k=rows["k"].replace("rare", "small"))
    broken = rows.assign(k=rows["k"].to_numpy()[::-1])
    assert scored(train, holdout, cut)["tail_high"].value == pytest.approx(1.0)
    assert scored(train, holdout, dropped)["rare_levels"].value == pytest.approx(1.0)
    # Independence of a median split: each of the cells is off by half its mass.
    assert scored(train, holdout, broken)["pair_tv"].value == pytest.approx(0.49, abs=0.03)


def test_pair_tv_equals_its_definition(parts):
    train, holdout, rows = parts
    edges = np.quantile(train["x"], np.linspace(0, 1, 11)[1:-1])

    def cells(table: pd.DataFrame) -> pd.Series:
        bins = np.searchsorted(edges, table["x"], side="right")
        return pd.Series(list(zip(bins, table["k"], strict=True))).value_counts(normalize=True)

    expected = cells(rows).sub(cells(train), fill_value=0).abs().sum() / 2
    assert scored(train, holdout, rows)["pair_tv"].value == pytest.approx(expected)
