"""Jobs that are under way when an episode begins; knows streams, never where the jobs run.

A grid in its steady state is not met empty, and what one finds running is not a fair sample of
what arrives: a job is met in proportion to its run time, at a uniform point of its run (the
inspection paradox; Feller, An Introduction to Probability Theory, vol. 2, XI.4). With run times
as heavy-tailed as a grid's, a warm-up from an empty grid would take days to get there.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from panda_gym.errors import StreamError
from panda_gym.jobs.stream import JobStream

STEPS: Final = 2
"""Jobs passed one by one from where the guide points, before the rest is searched for."""


class Underway(NamedTuple):
    """Jobs met in the middle of their runs."""

    row: np.ndarray
    """Which jobs of the stream they are, int64[n]."""
    left: np.ndarray
    """Share of their work still to do, float64[n] in (0, 1]."""


def draw_underway(stream: JobStream, n: int, rng: np.random.Generator) -> Underway:
    """Draw n jobs under way, each with probability proportional to work / cores.

    Raises:
        StreamError: no job of the stream has work.
    """
    if n == 0:
        return Underway(np.empty(0, dtype=np.int64), np.empty(0))
    edges = stream.run_edges
    if edges[-1] <= 0.0:
        raise StreamError("jobs with work, to be under way", "no work at all", "pass running=0")
    uniform = rng.random(n)
    return Underway(met(stream, uniform), 1.0 - rng.random(n))


def met(stream: JobStream, uniform: np.ndarray) -> np.ndarray:
    """Jobs of the stream in proportion to work / cores, int64[n], by uniforms [n] in [0, 1)."""
    edges, guide = stream.run_edges, stream.run_guide
    drawn = uniform * edges[-1]
    row = guide.take((uniform * (len(guide) - 1)).astype(np.int64))
    for _ in range(STEPS):
        row += edges.take(row) <= drawn
        np.minimum(row, len(edges) - 1, out=row)
    late = np.flatnonzero(edges.take(row) <= drawn)
    found = np.searchsorted(edges, drawn[late], side="right")
    row[late] = np.minimum(found, len(edges) - 1)
    return row


def mean_cores_underway(stream: JobStream) -> float:
    """Mean cores of a job under way: sum of work / sum of (work / cores)."""
    return float(stream.workload_true.sum() / max(stream.run_edges[-1], 1e-300))
