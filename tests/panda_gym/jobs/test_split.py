"""Claims about a split by time: no job is lost, the clock stays, and bad splits are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream
from panda_gym.jobs.part import StreamPart
from panda_gym.jobs.split import LEAST_JOBS, is_recorded, split, time_text
from panda_gym.provenance import named

MakeStream = Callable[..., JobStream]


def test_past_and_future_are_the_stream(make_stream: MakeStream) -> None:
    stream = make_stream(3000, 0)
    past, future = split(stream, 0.4)
    assert past.arrival_s[-1] < future.arrival_s[0]
    both = np.concatenate([past.workload_true, future.workload_true])
    assert np.array_equal(both, stream.workload_true)
    assert np.array_equal(future.arrival_s, stream.arrival_s[len(past) :])


def test_a_time_and_the_share_that_it_stands_for_split_alike(make_stream: MakeStream) -> None:
    stream = make_stream(3000, 0)
    by_share, by_time = split(stream, 0.5)[1], split(stream, time_text(stream, 0.5) + "Z")[1]
    assert abs(len(by_share) - len(by_time)) <= 30  # times are whole seconds


def test_a_part_knows_the_whole_and_keeps_it_in_a_file(
    make_stream: MakeStream, tmp_path: Path
) -> None:
    stream = make_stream(3000, 0)
    past, future = split(stream, 0.5)
    assert past.part is not None
    assert future.part is not None
    assert past.part.of == future.part.of == stream.digest()
    assert past.part.until_s == future.part.since_s
    past.save(tmp_path / "past.parquet")
    again = JobStream.load(tmp_path / "past.parquet")
    assert again.digest() == past.digest()
    assert StreamPart.parse(str(past.part)) == again.part
    assert named(past).endswith(f"part-of={past.part}")
    assert len({stream.digest(), past.digest(), future.digest()}) == 3


@pytest.mark.parametrize("at", [0.1, 0.9, "1990-01-01", "2090-01-01", "1", 2.0, "soon"])
def test_a_bad_split_is_one_clear_error(make_stream: MakeStream, at: str | float) -> None:
    words = f"{LEAST_JOBS:,} jobs" if at not in ("1", 2.0, "soon") else "ISO time"
    with pytest.raises(StreamError, match=words):
        split(make_stream(3000, 0), at)


def test_a_stream_of_records_is_recorded_and_a_surrogate_is_not(make_stream: MakeStream) -> None:
    from panda_gym.surrogate import Surrogate

    assert is_recorded(make_stream(100, 0))
    assert not is_recorded(JobStream.from_surrogate(Surrogate.open("default"), 100))
