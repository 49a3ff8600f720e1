"""TVAE on a small graph: shares, links, rare levels, the fitted prior, resuming."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import generators
from tests.generators.tables import mixed_table

SMALL: dict[str, Any] = {
    "iterations": 300,
    "batch": 256,
    "width": 48,
    "hidden": 48,
    "depth": 1,
    "latent": 8,
    "bins": 40,
    "components": 40,
    "learning_rate": 5e-3,
}


@pytest.fixture(scope="module")
def pair() -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    """A table, a sample of the model fitted to it, and the model."""
    table = mixed_table(4000)
    model = generators.create("tvae", **SMALL).fit(table)
    return table, model.sample(6000, seed=1), model


def test_categories_keep_their_shares_and_their_link(pair: Any) -> None:
    table, drawn, _ = pair
    joint = [pd.crosstab(t["kind"], t["place"], normalize=True).stack() for t in (table, drawn)]
    assert joint[0].sub(joint[1], fill_value=0).abs().sum() / 2 < 0.15
    assert (drawn["kind"] == "k3").mean() == pytest.approx(0.049, abs=0.02)


def test_numbers_keep_their_distribution_and_links(pair: Any) -> None:
    table, drawn, _ = pair
    for name in ("cost", "size", "files"):
        gap = stats.ks_2samp(table[name].astype(float), drawn[name].astype(float)).statistic
        assert gap < 0.08
    assert np.corrcoef(np.log1p(drawn["files"].astype(float)), np.log(drawn["cost"]))[0, 1] > 0.3
    assert drawn["cost"].isin(table["cost"]).mean() < 0.01


def test_the_prior_follows_the_rows_better_than_a_standard_normal(pair: Any) -> None:
    _, _, model = pair
    points = model._prior.draw(2000, np.random.default_rng(0))
    standard = stats.norm.logpdf(points).sum(axis=1).mean()
    assert model._prior.log_density(points).mean() > standard + 1


def test_draws_of_the_decoder_follow_its_softmax(pair: Any) -> None:
    decoder = pair[2]._nets["decoder"]
    latent = torch.zeros(4000, SMALL["latent"])
    drawn = decoder.draw(latent, torch.Generator().manual_seed(0))
    start = 0
    for column, card in enumerate(decoder.cards):
        share = decoder(latent[:1])[0, start : start + card].softmax(dim=0)
        seen = torch.bincount(drawn[:, column], minlength=card) / len(drawn)
        assert (share - seen).abs().max() < 0.05
        start += card


def test_a_stopped_fit_resumes_to_the_same_rows(tmp_path: Path) -> None:
    table = mixed_table(500)
    tiny = {**SMALL, "iterations": 40, "evaluate_every": 10, "checkpoint_every": 10, "width": 8}
    whole = generators.create("tvae", **tiny).fit(table, seed=2).sample(300)

    def stop(done: int, total: int, message: str) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generators.create("tvae", **tiny).fit(table, seed=2, progress=stop, checkpoint=tmp_path)
    resumed = generators.create("tvae", **tiny).fit(table, seed=2, checkpoint=tmp_path)
    pd.testing.assert_frame_equal(resumed.sample(300), whole)
