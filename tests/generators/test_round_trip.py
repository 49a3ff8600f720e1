"""What the encoding must give back, on columns that real tables have and models break on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.encoding.encoder import Encoder, EncodingConfig
from tests.generators.tables import same_dtypes

SEEDS = st.integers(0, 2**32 - 1)


def returned(table: pd.DataFrame, config: EncodingConfig, seed: int = 1) -> pd.DataFrame:
    """Return the table there and back, through the arrays that are saved."""
    encoder = Encoder.fit(table, config)
    encoder = Encoder.restore(encoder.meta(), encoder.arrays())
    data = encoder.encode(table, np.random.default_rng(seed))
    assert np.isfinite(data.numbers).all()
    assert (data.tokens < np.array(encoder.cards)).all()
    back = encoder.decode(data.tokens, data.numbers, np.random.default_rng(seed + 1))
    assert same_dtypes(back, table)
    return back


@given(
    seed=SEEDS,
    n=st.integers(100, 400),
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    days=st.integers(3, 1500),
    start=st.integers(-20_000, 20_000),
    missing=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_datetimes_of_any_unit_keep_day_hour_bounds_and_gaps(
    seed: int, n: int, unit: str, days: int, start: int, missing: bool
) -> None:
    rng = np.random.default_rng(seed)
    hour = int(np.timedelta64(1, "h") // np.timedelta64(1, unit))
    ticks = start * 24 * hour + rng.integers(0, days * 24 * hour, n)
    times = pd.Series(ticks.astype(f"datetime64[{unit}]"))
    if missing:
        times[rng.random(n) < 0.1] = pd.NaT
    table = pd.DataFrame({"when": times})
    new = returned(table, EncodingConfig())["when"]
    assert np.array_equal(new.isna(), times.isna())
    assert new.min() >= times.min()
    assert new.max() <= times.max()
    there = times.notna()
    assert (new[there].dt.floor("h") == times[there].dt.floor("h")).all()


@given(seed=SEEDS, n=st.integers(50, 500), places=st.integers(0, 6), atoms=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_numbers_keep_their_decimals_ties_atoms_and_order(
    seed: int, n: int, places: int, atoms: int
) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.lognormal(0, 2, n), places)
    if atoms:
        values = np.where(rng.random(n) < 0.5, rng.integers(0, atoms, n), values)
    table = pd.DataFrame({"x": values})
    new = returned(table, EncodingConfig(min_count=5))["x"]
    assert np.array_equal(np.round(new, places), new)
    tied = table["x"].duplicated(keep=False)
    assert (new[tied] == values[tied]).all()
    scale = np.ptp(values) or 1.0
    assert np.abs(new - values).max() <= max(10.0**-places, 2e-2 * scale)
    assert (np.argsort(values[~tied], kind="stable") == np.argsort(new[~tied], kind="stable")).all()


@given(
    seed=SEEDS,
    dtype=st.sampled_from(["int8", "uint8", "int16", "Int32", "int64", "Int64", "uint64"]),
    wide=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_integers_of_any_width_stay_integers_within_their_bounds(
    seed: int, dtype: str, wide: bool
) -> None:
    rng = np.random.default_rng(seed)
    info = np.iinfo(dtype.lower())
    low, high = (info.min, min(info.max, 2**63 - 1)) if wide else (0, 100)
    values = rng.integers(low, high, 200, endpoint=True, dtype=info.dtype)
    table = pd.DataFrame({"x": pd.array(values, dtype=dtype)})
    new = returned(table, EncodingConfig())["x"]
    assert new.min() >= table["x"].min()
    assert new.max() <= table["x"].max()
    tied = table["x"].duplicated(keep=False)
    assert (new[tied] == table["x"][tied]).all()


@given(
    seed=SEEDS,
    levels=st.integers(1, 60),
    floor=st.integers(1, 30),
    whole=st.booleans(),
    ordered=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_no_token_stands_for_fewer_rows_than_the_floor_save_the_bucket_of_rare_levels(
    seed: int, levels: int, floor: int, whole: bool, ordered: bool
) -> None:
    rng = np.random.default_rng(seed)
    names = list(range(levels)) if whole else [f"l{i}" for i in range(levels)]
    codes = np.minimum(rng.geometric(0.15, 400) - 1, levels - 1)
    kind = pd.Categorical.from_codes(codes, names, ordered=ordered)
    table = pd.DataFrame({"k": kind, "always": 1})
    encoder = Encoder.fit(table, EncodingConfig(min_count=floor))
    tokens = encoder.encode(table, rng).tokens
    counts = np.bincount(codes, minlength=levels)
    rare = np.flatnonzero((counts > 0) & (counts < floor))
    if tokens.shape[1]:
        seen = np.bincount(tokens[:, 0])
        often = np.delete(seen, -1) if len(rare) else seen
        assert (often >= floor).all()
        assert len({int(t) for t in tokens[np.isin(codes, rare), 0]}) <= 1
    new = returned(table, EncodingConfig(min_count=floor))["k"].cat.codes.to_numpy()
    common = counts[codes] >= floor
    assert (new[common] == codes[common]).all()
    assert np.isin(new[~common], rare).all()


@pytest.mark.parametrize("dtype", ["float64", "Int64", "category", "datetime64[s]"])
def test_a_column_of_missing_entries_only_returns_as_such(dtype: str) -> None:
    table = pd.DataFrame({"none": pd.Series([None] * 9).astype(dtype), "x": np.arange(9.0)})
    assert returned(table, EncodingConfig())["none"].isna().all()


def test_a_hundred_thousand_levels_cost_one_token_and_return_among_themselves() -> None:
    rng = np.random.default_rng(0)
    names = [f"u{i}" for i in range(100_000)]
    codes = np.where(rng.random(30_000) < 0.5, 7, rng.integers(0, 100_000, 30_000))
    table = pd.DataFrame({"user": pd.Categorical.from_codes(codes, names)})
    encoder = Encoder.fit(table, EncodingConfig())
    assert encoder.cards == (2,)
    back = returned(table, EncodingConfig())["user"].cat.codes.to_numpy()
    assert ((back == 7) == (codes == 7)).mean() > 0.999
    assert np.isin(back, codes).all()


@pytest.mark.parametrize("value", [5e-324, 1.7e308, -1.7e308, -0.0])
def test_the_ends_of_double_precision_return(value: float) -> None:
    table = pd.DataFrame({"x": [value, 0.0, 1.0, value * 0.5, 2.0]})
    new = returned(table, EncodingConfig())["x"]
    assert np.isfinite(new).all()
    assert new.between(table["x"].min(), table["x"].max()).all()
