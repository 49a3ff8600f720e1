"""The two ways to split a table into train and test."""

from __future__ import annotations

import pandas as pd
import pytest

from panda_gym.errors import RecordsError, SeedError
from panda_gym.records import reference_records, split_by_rows, split_by_time


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return reference_records(1_000, seed=2).sample(frac=1.0, random_state=1, ignore_index=True)


def rows(table: pd.DataFrame) -> list[tuple]:
    return sorted(map(tuple, table.astype(str).to_numpy().tolist()))


@pytest.mark.parametrize("split", [split_by_rows, split_by_time])
def test_the_parts_are_the_whole_at_four_to_one(table, split):
    train, test = split(table)
    assert (len(train), len(test)) == (800, 200)
    assert rows(pd.concat([train, test])) == rows(table)
    assert train.attrs == test.attrs == table.attrs
    pd.testing.assert_series_equal(train.dtypes, table.dtypes)


def test_the_split_by_time_has_no_later_row_in_training(table):
    train, test = split_by_time(table, share=0.5)
    assert train["creationtime"].max() <= test["creationtime"].min()


def test_the_split_by_rows_follows_its_seed(table):
    first, again, other = (split_by_rows(table, seed=seed)[0] for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_two_rows_are_the_fewest_to_split(table):
    assert [len(part) for part in split_by_rows(table.head(2))] == [1, 1]
    with pytest.raises(RecordsError, match="two rows"):
        split_by_time(table.head(1))


@pytest.mark.parametrize("share", [0, 1, -0.5, "most", True, float("nan")])
def test_impossible_shares_are_refused(table, share):
    with pytest.raises(RecordsError, match="share between 0 and 1"):
        split_by_rows(table, share)


def test_a_wrong_seed_or_time_column_is_refused(table):
    with pytest.raises(SeedError):
        split_by_rows(table, seed=1.5)
    with pytest.raises(RecordsError, match="time column 'when'"):
        split_by_time(table, time="when")
