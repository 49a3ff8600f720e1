"""Claims about jobs under way: who is met, and how much of them is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream, mean_cores_underway
from panda_gym.jobs.underway import draw_underway


def test_long_jobs_are_met_in_proportion_to_their_run_time(
    make_stream: Callable[..., JobStream],
) -> None:
    stream = make_stream(50)
    met = draw_underway(stream, 200_000, np.random.default_rng(0))
    run = stream.workload_true / stream.cores
    share = np.bincount(met.row, minlength=50) / 200_000
    np.testing.assert_allclose(share, run / run.sum(), atol=0.004)


def test_what_is_left_is_uniform(make_stream: Callable[..., JobStream]) -> None:
    left = draw_underway(make_stream(50), 100_000, np.random.default_rng(1)).left
    assert left.min() > 0.0
    assert left.max() <= 1.0
    counts = np.histogram(left, bins=10, range=(0, 1))[0]
    assert np.all(np.abs(counts - 10_000) < 500)


def test_mean_cores_are_those_of_the_jobs_met(make_stream: Callable[..., JobStream]) -> None:
    stream = make_stream(200)
    met = draw_underway(stream, 200_000, np.random.default_rng(2))
    assert mean_cores_underway(stream) == pytest.approx(stream.cores[met.row].mean(), rel=0.03)


def test_a_stream_without_work_has_nobody_under_way(stream: JobStream) -> None:
    idle = replace(stream, workload_true=np.zeros(len(stream)))
    assert len(draw_underway(idle, 0, np.random.default_rng(0)).row) == 0
    with pytest.raises(StreamError, match="running=0"):
        draw_underway(idle, 3, np.random.default_rng(0))
