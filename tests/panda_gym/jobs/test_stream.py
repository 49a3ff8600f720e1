"""Claims about streams: invariants are guarded, windows have no seam, digests see everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream
from panda_gym.jobs.fields import ARRAYS


def spoilt(stream: JobStream, field: str, row: int, value: float) -> JobStream:
    values = getattr(stream, field).astype(np.float64)
    values[row] = value
    return replace(stream, **{field: values})


@settings(max_examples=30, deadline=None)
@given(start=st.integers(0, 500), n=st.integers(1, 700))
def test_a_window_has_no_seam(stream: JobStream, start: int, n: int) -> None:
    window = stream.window(start, n)
    assert len(window) == n
    assert np.all(np.diff(window.arrival_s) >= 0)
    rows = [(start + k) % len(stream) for k in range(n)]
    assert np.array_equal(window.workload_true, stream.workload_true[rows])
    assert np.array_equal(window.dataset, stream.dataset[rows])


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 199), turns=st.integers(1, 3))
def test_a_full_turn_conserves_work_and_takes_a_period(
    stream: JobStream, start: int, turns: int
) -> None:
    window = stream.window(start, turns * len(stream) + 1)
    assert window.workload_true[:-1].sum() == pytest.approx(turns * stream.total_gflop)
    took = window.arrival_s[-1] - window.arrival_s[0]
    assert took == pytest.approx(turns * stream.period_s)


def test_the_period_keeps_the_rate_of_arrivals(stream: JobStream) -> None:
    span = stream.arrival_s[-1] - stream.arrival_s[0]
    assert len(stream) / stream.period_s == pytest.approx((len(stream) - 1) / span)


def test_one_job_repeats_every_second(stream: JobStream) -> None:
    one = stream.window(7, 1)
    assert one.window(0, 3).arrival_s.tolist() == [one.arrival_s[0] + k for k in range(3)]


def test_a_window_of_no_job_is_refused(stream: JobStream) -> None:
    with pytest.raises(StreamError, match="at least 1 job"):
        stream.window(0, 0)


@pytest.mark.parametrize(
    ("field", "value", "needed"),
    [
        ("arrival_s", np.nan, "finite arrival_s.*row 3"),
        ("arrival_s", -1.0, "in order of arrival.*row 3"),
        ("cores", 0, "cores >= 1; got 0 in row 3"),
        ("cores", 1.5, "whole numbers"),
        ("workload_true", -1.0, "workload_true >= 0"),
        ("workload_pred", np.inf, "finite workload_pred"),
        ("input_bytes", -5.0, "input_bytes >= 0; got -5 in row 3"),
        ("input_files", -1, "input_files >= 0"),
        ("dataset", -1, "dataset >= 0"),
        ("source", 4, "source >= -1 and < 4"),
        ("source", 1e6, "whole numbers up to 32767"),
        ("status", 4, "status >= 0 and < 4"),
        ("project", 2, "project >= 0 and < 2"),
        ("noise_u", 1.0, "noise_u >= 0 and < 1"),
    ],
)
def test_each_broken_invariant_is_one_clear_error(
    stream: JobStream, field: str, value: float, needed: str
) -> None:
    with pytest.raises(StreamError, match=needed):
        spoilt(stream, field, 3, value)


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({"cores": np.ones(3, dtype=np.int32)}, "shape"),
        ({"input_bytes": np.array(["1"] * 200)}, "numbers as input_bytes"),
    ],
)
def test_each_bad_array_is_one_clear_error(
    stream: JobStream, change: dict[str, Any], needed: str
) -> None:
    with pytest.raises(StreamError, match=needed):
        replace(stream, **change)


def test_an_empty_stream_is_refused(stream: JobStream) -> None:
    with pytest.raises(StreamError, match="at least one job"):
        replace(stream, **{field: getattr(stream, field)[:0] for field in ARRAYS})


def test_arrays_are_typed_read_only_and_not_shared(stream: JobStream) -> None:
    for field, kind in ARRAYS.items():
        assert getattr(stream, field).dtype == kind
        assert not getattr(stream, field).flags.writeable
    mine = stream.cores.copy()
    other = replace(stream, cores=mine)
    mine[0] = 99
    assert other.cores[0] != 99


@pytest.mark.parametrize("field", ARRAYS)
def test_the_digest_sees_every_array(stream: JobStream, field: str) -> None:
    values = getattr(stream, field).astype(np.float64)
    # Two rows that differ change places, times keep their order.
    other = np.flatnonzero(values != values[0])
    if field == "arrival_s":
        values[-1] += 1
    elif len(other):
        values[[0, other[0]]] = values[[other[0], 0]]
    changed = replace(stream, **{field: values})
    alike = field in ("prodstep", "requested_s")  # one value in all rows
    assert (changed.digest() == stream.digest()) == alike


@pytest.mark.parametrize("change", [{"name": "x"}, {"origin": "x"}, {"epoch": "2000-01-01"}])
def test_the_digest_sees_what_stands_beside(stream: JobStream, change: dict[str, str]) -> None:
    assert replace(stream, **change).digest() != stream.digest()  # type: ignore[arg-type]


def test_dataset_source_is_where_most_of_its_jobs_were(stream: JobStream) -> None:
    five = stream.window(0, 5)
    jobs = replace(
        five, dataset=np.array([0, 0, 0, 1, 3]), source=np.array([2, 1, 2, -1, 0], dtype=np.int16)
    )
    assert jobs.dataset_source.tolist() == [2, -1, -1, 0]
    tie = replace(jobs, dataset=np.zeros(5, dtype=int), source=np.array([3, 1, 3, 1, 2]))
    assert tie.dataset_source.tolist() == [1]
