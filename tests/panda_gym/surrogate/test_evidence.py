"""The three tables are made again as the certificate says that they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from metrics.certificate.certificate import Certificate
from panda_gym.errors import SurrogateError
from panda_gym.records import split_by_groups, split_by_rows
from panda_gym.surrogate.evidence import tables

DRAWN = {"split_seed": 3, "rows": 7, "sample_seed": 5}


class Counting:
    """A generator that says how it was asked."""

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        return pd.DataFrame({"rows": [rows], "seed": [seed]})


def certificate(group: str | None, drawn: Any) -> Certificate:
    return Certificate({"columns": {"group": group}, "provenance": {"drawn": drawn}})


@pytest.fixture
def grouped(records: pd.DataFrame) -> pd.DataFrame:
    return records.assign(task=np.arange(len(records)) // 7)


def test_rows_are_split_and_drawn_by_the_seeds_of_the_certificate(records: pd.DataFrame) -> None:
    train, holdout, synthetic = tables(certificate(None, DRAWN), records, Counting())
    expected = split_by_rows(records, seed=3)
    pd.testing.assert_frame_equal(train, expected[0])
    pd.testing.assert_frame_equal(holdout, expected[1])
    assert synthetic.to_dict("list") == {"rows": [7], "seed": [5]}


def test_a_certificate_of_groups_cuts_none_of_them(grouped: pd.DataFrame) -> None:
    train, holdout, _ = tables(certificate("task", DRAWN), grouped, Counting())
    assert not set(train["task"]) & set(holdout["task"])
    pd.testing.assert_frame_equal(train, split_by_groups(grouped, "task", seed=3)[0])


@pytest.mark.parametrize("drawn", [None, {}, {"rows": 7}])
def test_a_certificate_that_does_not_say_how_is_refused(records: pd.DataFrame, drawn: Any) -> None:
    with pytest.raises(SurrogateError, match="how its tables were drawn"):
        tables(certificate(None, drawn), records, Counting())
