"""Formats of times in exports."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from panda_gym.errors import RecordsError
from panda_gym.records.times import FORMATS, parse_times

MOMENTS = pd.Series(pd.to_datetime(["2024-01-07 13:24:00", "2024-01-29 03:09:00"]), name="t")
WANTED = MOMENTS.astype("datetime64[s]")


@pytest.mark.parametrize("form", FORMATS)
def test_text_in_any_format_is_read(form):
    style = "%Y-%m-%dT%H:%M:%SZ" if form == "ISO8601" else form
    texts = [datetime.datetime.strftime(moment, style) for moment in MOMENTS]
    pd.testing.assert_series_equal(parse_times(pd.Series(texts, name="t")), WANTED)


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_numbers_since_1970_are_read_in_any_unit(factor):
    seconds = WANTED.astype("int64") * factor
    pd.testing.assert_series_equal(parse_times(seconds), WANTED)


def test_months_without_leading_zeros_come_before_days():
    assert parse_times(pd.Series(["1/7/2024 3:24"]))[0] == pd.Timestamp("2024-01-07 03:24")
    both = parse_times(pd.Series(["7/1/2024 3:24", "29/1/2024 3:24"]))
    assert both[0] == pd.Timestamp("2024-01-07 03:24")


def test_zones_are_converted_to_utc():
    parsed = parse_times(pd.Series(["2024-01-07T13:24:00+02:00"]))
    assert parsed[0] == pd.Timestamp("2024-01-07 11:24:00")
    aware = MOMENTS.dt.tz_localize("Europe/Paris")
    assert parse_times(aware)[0] == pd.Timestamp("2024-01-07 12:24:00")


def test_missing_and_single_odd_values_become_missing():
    texts = pd.Series(["2024-01-07 13:24:00", None, "yesterday"])
    assert parse_times(texts).isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    "values", [["noon", "night"], [True, False], [12, 30], [np.nan, "tomorrow"]]
)
def test_what_is_no_time_is_refused(values):
    with pytest.raises(RecordsError, match="ISO 8601"):
        parse_times(pd.Series(values, name="t"))
