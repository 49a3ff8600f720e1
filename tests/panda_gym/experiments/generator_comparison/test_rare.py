"""Total variation over rare levels against cases with a known answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from panda_gym.experiments.generator_comparison.rare import rare_variation


def table(counts: dict[str, int]) -> pd.DataFrame:
    levels = list("abcd")
    codes = np.repeat([levels.index(k) for k in counts], list(counts.values()))
    return pd.DataFrame({"k": pd.Categorical.from_codes(codes, levels), "x": 1.0})


TRAIN = table({"a": 50_000, "b": 49_970, "c": 20, "d": 10})
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        ({"a": 50_000, "b": 49_970, "c": 20, "d": 10}, 0.0),
        ({"a": 50_000, "b": 50_000}, 0.5),
        ({"a": 50_000, "b": 49_970, "c": 30}, 10 / 30),
        ({"a": 25_000, "b": 24_985, "c": 10, "d": 5}, 0.0),
    ],
)
def test_known_answers(counts: dict[str, int], answer: float) -> None:
    value, low, high = rare_variation(table(counts), TRAIN, RNG)
    assert value == pytest.approx(answer)
    assert low <= value + 1e-9 <= high + 2e-9


def test_a_table_without_rare_levels_has_no_number() -> None:
    assert np.isnan(rare_variation(TRAIN, table({"a": 10, "b": 10}), RNG)).all()
