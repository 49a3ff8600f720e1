"""Compare policies on job streams with paired seeds, with intervals; see `benchmark`."""

from __future__ import annotations

from panda_gym.benchmarking.episodes import measures_of
from panda_gym.benchmarking.intervals import Interval, bootstrap, iqm
from panda_gym.benchmarking.measures import MEASURES, Measure, Outcomes
from panda_gym.benchmarking.run import benchmark
from panda_gym.benchmarking.table import BenchmarkTable, Row

__all__ = [
    "MEASURES",
    "BenchmarkTable",
    "Interval",
    "Measure",
    "Outcomes",
    "Row",
    "benchmark",
    "bootstrap",
    "iqm",
    "measures_of",
]
