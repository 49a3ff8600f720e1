"""Losses of single rows: seeded, one a row, lower for rows that a model has memorised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import generators
from generators.errors import GeneratorError
from generators.training import row_losses as losses
from tests.generators.tables import mixed_table

SMALL: dict[str, Any] = {"width": 48, "batch": 64, "learning_rate": 5e-3, "dropout": 0.0}
MODELS = {
    "ordered": ("tabddpm", {"process": "ordered"}),
    "masked": ("tabddpm", {"process": "masked"}),
    "multinomial": ("tabddpm", {"process": "multinomial"}),
    "autoregressive": ("autoregressive", {}),
}


@pytest.mark.parametrize("word", MODELS)
def test_memorised_rows_have_lower_losses_than_fresh_ones(word: str) -> None:
    name, config = MODELS[word]
    table, fresh = mixed_table(200, seed=1), mixed_table(200, seed=2)
    model = generators.create(name, iterations=150, holdout=0.0, **SMALL, **config).fit(table)
    assert model.has_losses
    known, other = model.losses(table), model.losses(fresh)
    assert known.shape == other.shape
    assert len(known) == 200
    assert known.sum(axis=1).mean() < other.sum(axis=1).mean()
    np.testing.assert_array_equal(model.losses(table), known)


@pytest.fixture(scope="module")
def model() -> Any:
    return generators.create("tabddpm", iterations=5, **SMALL).fit(mixed_table(300))


def test_all_blocks_share_their_noise(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = mixed_table(80, seed=3)
    whole = model.losses(table)
    monkeypatch.setattr(losses, "BLOCK", 16)
    np.testing.assert_allclose(model.losses(table), whole, rtol=1e-4, atol=1e-5)


def test_other_levels_order_and_unseen_levels_are_taken(model: Any) -> None:
    table = mixed_table(50, seed=4)
    turned = table.assign(
        kind=table["kind"].cat.reorder_categories([f"k{i}" for i in range(5, -1, -1)])
    )
    np.testing.assert_array_equal(model.losses(turned), model.losses(table))
    novel = table.assign(kind=pd.Categorical(["never"] * 50))
    assert np.isfinite(model.losses(novel)).all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t.drop(columns="cost"), "cost"),
        (lambda t: t.assign(cost="much"), "cost"),
    ],
)
def test_another_table_is_one_clear_error(model: Any, change: Any, word: str) -> None:
    with pytest.raises(GeneratorError, match=word):
        model.losses(change(mixed_table(20)))


def test_generators_without_a_loss_say_so() -> None:
    smote = generators.create("smote").fit(mixed_table(100))
    assert not smote.has_losses
    with pytest.raises(GeneratorError, match="loss of single rows"):
        smote.losses(mixed_table(20))
    with pytest.raises(GeneratorError, match="fitted"):
        generators.create("tabddpm").losses(mixed_table(20))
