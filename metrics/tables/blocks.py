"""Blocks of rows that a bootstrap draws whole: batches, tasks or days.

A grid's jobs come in tasks of near-identical rows, so that n rows hold less than n independent
pieces of news. Resampling whole tasks, or whole days, keeps that in the intervals (Künsch 1989,
with blocks given by the data).
"""

from __future__ import annotations

import numpy as np

from metrics.errors import MetricError
from metrics.tables.samples import Sample

DAY_S = 86_400.0
GAP_S = 60.0
"""Rows of equal categories that follow each other within this time, in seconds, are one batch."""
KINDS = ("batch", "day", "row")
"""What a policy may ask for: tasks or batches, days, or rows taken as independent."""


def blocks(sample: Sample, kind: str, time: str | None) -> np.ndarray | None:
    """Return each row's block, int64[n] numbered from 0; None where every row is its own.

    "batch" takes the group column where one was named, else rows equal in all categories that
    follow each other within `GAP_S`. "day" takes days of UTC. A table without time has no blocks
    but its groups. A row without a time is a block of its own.
    """
    if kind not in KINDS:
        raise MetricError(f"blocks of a kind in {', '.join(KINDS)}", repr(kind), "name one")
    if kind == "batch" and sample.groups is not None:
        return _numbered(sample.groups)
    if kind == "row" or time is None or time not in sample.schema.numbers:
        return None
    seconds = sample.number(time)
    found = _days(seconds) if kind == "day" else _batches(sample, seconds)
    missing = np.isnan(seconds)
    found[missing] = found.max(initial=0) + 1 + np.arange(missing.sum())
    return _numbered(found)


def blocks_of_both(a: Sample, b: Sample, kind: str, time: str | None) -> np.ndarray | None:
    """Return the block of each row of `a`, then of `b`, int64[len(a) + len(b)], or None.

    Rows of one task that lie in both tables, as a random split leaves them, are one block. Groups
    by a column are those of one table each: their numbers are not comparable.
    """
    if kind == "batch" and a.groups is not None and b.groups is not None:
        own = _numbered(a.groups)
        return np.concatenate([own, own.max() + 1 + _numbered(b.groups)])
    numbers, codes = (np.concatenate(x) for x in ([a.numbers, b.numbers], [a.codes, b.codes]))
    return blocks(Sample(a.schema, numbers, codes), kind, time)


def _days(seconds: np.ndarray) -> np.ndarray:
    return (np.nan_to_num(seconds) // DAY_S).astype(np.int64)


def _batches(sample: Sample, seconds: np.ndarray) -> np.ndarray:
    order = np.lexsort([seconds, *sample.codes.T])
    codes, clock = sample.codes[order], seconds[order]
    begins = (codes[1:] != codes[:-1]).any(axis=1) | ~(np.diff(clock) <= GAP_S)
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.concatenate([[0], np.cumsum(begins)])
    return found


def _numbered(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
