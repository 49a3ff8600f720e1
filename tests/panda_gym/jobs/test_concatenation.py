"""Claims about streams put together: every job is kept, on one clock, with its own names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream, concatenate

MakeStream = Callable[..., JobStream]


def later(stream: JobStream, days: int) -> JobStream:
    epoch = np.datetime64(stream.epoch, "s") + np.timedelta64(days, "D")
    return replace(stream, epoch=str(epoch))


def test_weeks_that_follow_each_other_are_strung_together(make_stream: MakeStream) -> None:
    first = make_stream(100, 0)
    second = later(make_stream(80, 1), 7)
    both = concatenate([second, first], name="fortnight")
    assert (both.name, both.epoch) == ("fortnight", first.epoch)
    assert np.array_equal(both.workload_true[:100], first.workload_true)
    assert np.array_equal(both.workload_true[100:], second.workload_true)
    gap = np.datetime64(second.epoch, "s") - np.datetime64(first.epoch, "s")
    assert both.arrival_s[100] == gap.astype(float)


def test_streams_that_overlap_are_merged(make_stream: MakeStream) -> None:
    parts = [make_stream(100, 0), make_stream(100, 1)]
    both = concatenate(parts)
    assert both.total_gflop == pytest.approx(sum(part.total_gflop for part in parts))
    assert np.all(np.diff(both.arrival_s) >= 0)
    datasets = [len(np.unique(part.dataset)) for part in (*parts, both)]
    assert datasets[2] == datasets[0] + datasets[1]


def test_names_stay_with_their_jobs(make_stream: MakeStream) -> None:
    first = make_stream(50)
    other = later(replace(first, site_names=("P", "NORTH", "Q", "R")), 30)
    both = concatenate([first, other])
    named = [both.site_names[k] for k in both.source]
    assert named[:50] == [first.site_names[k] for k in first.source]
    assert named[50:] == [other.site_names[k] for k in other.source]
    lost = concatenate([first, replace(other, source=np.full(50, -1))])
    assert np.all(lost.source[50:] == -1)


def test_one_stream_alone_stays_itself(stream: JobStream) -> None:
    assert concatenate([stream]).digest() == stream.digest()


def test_no_stream_is_refused() -> None:
    with pytest.raises(StreamError, match="at least one stream"):
        concatenate([])
