"""Scores of time: cycles, bursts, memory and batches of a table's rows.

`clock` turns times into shares and counts, `batches` finds rows that came together, `stream` makes
every figure a function of the days counted, `figures` names the distances of two streams and
`scores` compares three tables.
"""

from metrics.temporal.batches import Batches, batch_coherence, explained, shared_categories
from metrics.temporal.clock import (
    autocorrelation,
    daily_counts,
    day_of_week,
    fano,
    gaps,
    hour_of_day,
    hour_of_week,
    hourly_counts,
)
from metrics.temporal.figures import time_figures
from metrics.temporal.scores import independent, measure

__all__ = [
    "Batches",
    "autocorrelation",
    "batch_coherence",
    "daily_counts",
    "day_of_week",
    "explained",
    "fano",
    "gaps",
    "hour_of_day",
    "hour_of_week",
    "hourly_counts",
    "independent",
    "measure",
    "shared_categories",
    "time_figures",
]
