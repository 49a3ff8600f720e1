"""Draw residual jobs: jobs that already run when an episode begins.

A grid in its steady state is not empty, and the running jobs are no fair sample of the arriving
ones. A job is found running with a probability proportional to its run time, at a uniform point
of its run (the inspection paradox; Feller, An Introduction to Probability Theory, vol. 2, XI.4).
With the heavy-tailed run times of a grid, a warm-up from an empty grid would take days.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from panda_gym.errors import StreamError
from panda_gym.jobs.stream import JobStream

STEPS: Final = 2
"""Rows tried one by one from the guide table's entry on, before the rest is bisected."""


class ResidualJobs(NamedTuple):
    """Jobs found in the middle of their runs."""

    row: np.ndarray
    """Which jobs of the stream they are, int64[n]."""
    left: np.ndarray
    """Share of their work that remains, float64[n] in (0, 1]."""


def draw_residual_jobs(stream: JobStream, n: int, rng: np.random.Generator) -> ResidualJobs:
    """Draw n running jobs, each with probability proportional to work / cores.

    Raises:
        StreamError: no job of the stream has work.
    """
    if n == 0:
        return ResidualJobs(np.empty(0, dtype=np.int64), np.empty(0))
    edges = stream.run_time_edges
    if edges[-1] <= 0.0:
        raise StreamError("jobs with work, as residual jobs", "no work at all", "pass running=0")
    uniform = rng.random(n)
    return ResidualJobs(length_biased_rows(stream, uniform), 1.0 - rng.random(n))


def length_biased_rows(stream: JobStream, uniform: np.ndarray) -> np.ndarray:
    """Return rows of the stream drawn in proportion to work / cores.

    Shape: uniform [n] in [0, 1); returns int64[n].
    """
    edges, guide = stream.run_time_edges, stream.run_time_guide
    drawn = uniform * edges[-1]
    row = guide.take((uniform * (len(guide) - 1)).astype(np.int64))
    for _ in range(STEPS):
        row += edges.take(row) <= drawn
        np.minimum(row, len(edges) - 1, out=row)
    late = np.flatnonzero(edges.take(row) <= drawn)
    found = np.searchsorted(edges, drawn[late], side="right")
    row[late] = np.minimum(found, len(edges) - 1)
    return row


def mean_residual_cores(stream: JobStream) -> float:
    """Return the mean cores of a residual job: sum of work / sum of (work / cores)."""
    return float(stream.workload_true.sum() / max(stream.run_time_edges[-1], 1e-300))
