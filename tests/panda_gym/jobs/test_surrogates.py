"""A stream from a surrogate is its head, then its weeks."""

from __future__ import annotations

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream
from panda_gym.surrogate import Surrogate


def test_the_head_serves_short_streams(sealed: Surrogate) -> None:
    stream = JobStream.from_surrogate(sealed, 200)
    head = sealed.first_week().head(200)
    np.testing.assert_array_equal(stream.workload_true, head["workload"])
    np.testing.assert_array_equal(stream.workload_pred, np.maximum(head["workload_pred"], 1.0))
    assert sealed.origin in stream.origin


def test_longer_streams_go_on_with_the_next_week(sealed: Surrogate) -> None:
    long = JobStream.from_surrogate(sealed, 450)
    short = JobStream.from_surrogate(sealed, 300)
    assert len(long) == 450
    np.testing.assert_array_equal(long.workload_true[:300], short.workload_true)


def test_seeds_differ_and_repeat(sealed: Surrogate) -> None:
    one, again = (JobStream.from_surrogate(sealed, 100, seed=1) for _ in range(2))
    other = JobStream.from_surrogate(sealed, 100, seed=2)
    np.testing.assert_array_equal(one.workload_true, again.workload_true)
    assert not np.array_equal(one.workload_true, other.workload_true)


def test_no_jobs_are_refused(sealed: Surrogate) -> None:
    with pytest.raises(StreamError, match="at least 1 job"):
        JobStream.from_surrogate(sealed, 0)
