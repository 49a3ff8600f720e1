"""A table there and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from generators.encoding.encoder import Encoder, EncodingConfig
from generators.errors import GeneratorError
from tests.generators.tables import hostile_table, mixed_table, same_dtypes

RNG = np.random.default_rng(0)


@given(hostile_table())
@settings(max_examples=80, deadline=None)
def test_any_table_returns_with_its_types_bounds_atoms_ties_and_missing_entries(
    table: pd.DataFrame,
) -> None:
    encoder = Encoder.fit(table, EncodingConfig(min_count=1))
    data = encoder.encode(table, np.random.default_rng(1))
    assert np.isfinite(data.numbers).all()
    assert all((data.tokens[:, i] < card).all() for i, card in enumerate(encoder.cards))
    back = encoder.decode(data.tokens, data.numbers, np.random.default_rng(2))
    assert same_dtypes(back, table)
    for name in table.columns:
        old, new = table[name], back[name]
        assert np.array_equal(old.isna(), new.isna())
        if isinstance(old.dtype, pd.CategoricalDtype):
            assert np.array_equal(old.cat.codes, new.cat.codes)
            continue
        tied = old.duplicated(keep=False) & old.notna()
        assert (old[tied] == new[tied]).all()
        if old.notna().any():
            assert new.min() >= old.min()
            assert new.max() <= old.max()


@given(hostile_table())
@settings(max_examples=30, deadline=None)
def test_meta_and_arrays_restore_the_same_encoder(table: pd.DataFrame) -> None:
    encoder = Encoder.fit(table, EncodingConfig(bins=4))
    again = Encoder.restore(encoder.meta(), encoder.arrays())
    first = encoder.encode(table, np.random.default_rng(1))
    second = again.encode(table, np.random.default_rng(1))
    assert np.array_equal(first.tokens, second.tokens)
    assert np.array_equal(first.numbers, second.numbers)
    pd.testing.assert_frame_equal(
        encoder.decode(first.tokens, first.numbers, np.random.default_rng(2)),
        again.decode(second.tokens, second.numbers, np.random.default_rng(2)),
    )


def test_a_number_is_present_where_its_own_token_leaves_it_open() -> None:
    table = mixed_table(2000)
    encoder = Encoder.fit(table, EncodingConfig())
    data = encoder.encode(table, RNG)
    assert data.numbers.shape == (2000, len(encoder.gates))
    assert not data.numbers[~data.present].any()
    assert np.mean(data.numbers[data.present] != 0) > 0.99
    assert 0.1 < data.present.mean() < 0.9


def test_tokens_name_their_columns_and_constants_have_none() -> None:
    table = mixed_table(500).assign(same=3.0)
    encoder = Encoder.fit(table, EncodingConfig())
    owners = [encoder.schema.columns[i].name for i in encoder.token_columns]
    assert "same" not in owners
    assert owners.count("when") == 2
    back = encoder.decode(
        np.zeros((4, len(encoder.cards)), np.int32), np.zeros((4, len(encoder.gates))), RNG
    )
    assert list(back["same"]) == [3.0] * 4


def test_one_value_a_row_stays_one_bucket() -> None:
    table = pd.DataFrame({"id": pd.Categorical([f"x{i}" for i in range(5000)]), "y": 1})
    encoder = Encoder.fit(table, EncodingConfig())
    assert encoder.cards == ()
    back = encoder.decode(np.zeros((5000, 0), np.int32), np.zeros((5000, 0)), RNG)
    assert back["id"].nunique() > 2500


def test_integers_beyond_double_precision_return_exactly() -> None:
    big = 2**60 + np.repeat([1, 2, 3], 5)
    table = pd.DataFrame({"id": pd.array(big, dtype="Int64")})
    encoder = Encoder.fit(table, EncodingConfig(min_count=100))
    data = encoder.encode(table, RNG)
    assert len(encoder.gates) == 1
    assert list(encoder.decode(data.tokens, data.numbers, RNG)["id"]) == list(big)


@pytest.mark.parametrize(
    ("table", "needed"),
    [
        (pd.DataFrame({"a": []}), "at least one row"),
        (pd.DataFrame(index=range(3)), "one column"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "different names"),
        (pd.DataFrame([[1, 2]]), "named by text"),
        (pd.DataFrame({"a": ["x", "y"]}), "as category"),
        (pd.DataFrame({"a": [True, False]}), "as category"),
        (pd.DataFrame({"a": [1 + 2j]}), "as category"),
        (pd.DataFrame({"a": [1.0, np.inf]}), "finite"),
        (pd.DataFrame({"a": pd.Categorical(["x", 1])}), "levels all text"),
        (pd.DataFrame({"a": pd.to_datetime(["2024-01-01"], utc=True)}), "naive datetime64"),
        (pd.DataFrame({"a": np.array([2**63 + 5], np.uint64)}), "below 2\\*\\*63"),
        ([1, 2, 3], "DataFrame"),
    ],
)
def test_a_table_that_cannot_be_encoded_is_one_clear_error(table: object, needed: str) -> None:
    with pytest.raises(GeneratorError, match=needed):
        Encoder.fit(table, EncodingConfig())  # type: ignore[arg-type]
