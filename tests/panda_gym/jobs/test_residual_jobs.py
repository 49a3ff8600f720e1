"""Claims about residual jobs: which are drawn, and how much of their work is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream, mean_residual_cores
from panda_gym.jobs.residual_jobs import draw_residual_jobs, length_biased_rows


def test_long_jobs_are_drawn_in_proportion_to_their_run_time(
    make_stream: Callable[..., JobStream],
) -> None:
    stream = make_stream(50)
    found = draw_residual_jobs(stream, 200_000, np.random.default_rng(0))
    run = stream.workload_true / stream.cores
    share = np.bincount(found.row, minlength=50) / 200_000
    np.testing.assert_allclose(share, run / run.sum(), atol=0.004)


def test_the_guide_table_finds_what_a_plain_search_finds(
    make_stream: Callable[..., JobStream],
) -> None:
    rng = np.random.default_rng(3)
    for n in (1, 2, 7, 400):
        work = np.exp(rng.normal(0.0, 4.0, n)) * (rng.random(n) < 0.8)  # heavy tails, and no work
        work[n // 2] += 1.0
        stream = replace(make_stream(n), workload_true=work)
        edges = np.cumsum(work / stream.cores)
        drawn = np.r_[rng.random(20_000), 0.0, 1.0 - 2.0**-53, (edges / edges[-1])[:-1]]
        drawn = np.minimum(drawn, 1.0 - 2.0**-53)
        found = np.searchsorted(edges, drawn * edges[-1], side="right")
        np.testing.assert_array_equal(length_biased_rows(stream, drawn), np.minimum(found, n - 1))


def test_what_is_left_is_uniform(make_stream: Callable[..., JobStream]) -> None:
    left = draw_residual_jobs(make_stream(50), 100_000, np.random.default_rng(1)).left
    assert left.min() > 0.0
    assert left.max() <= 1.0
    counts = np.histogram(left, bins=10, range=(0, 1))[0]
    assert np.all(np.abs(counts - 10_000) < 500)


def test_mean_cores_are_those_of_the_jobs_met(make_stream: Callable[..., JobStream]) -> None:
    stream = make_stream(200)
    found = draw_residual_jobs(stream, 200_000, np.random.default_rng(2))
    assert mean_residual_cores(stream) == pytest.approx(stream.cores[found.row].mean(), rel=0.03)


def test_a_stream_without_work_has_no_residual_jobs(stream: JobStream) -> None:
    idle = replace(stream, workload_true=np.zeros(len(stream)))
    assert len(draw_residual_jobs(idle, 0, np.random.default_rng(0)).row) == 0
    with pytest.raises(StreamError, match="running=0"):
        draw_residual_jobs(idle, 3, np.random.default_rng(0))
