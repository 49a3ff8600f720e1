"""Tables of slowdown and turnaround by classes of jobs, a row a policy, for readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from panda_gym.benchmarking.job_classes import (
    CLASS_MEASURES,
    CLASSES,
    ClassMeasure,
    JobClasses,
    key,
)
from panda_gym.benchmarking.render import TextTable, number
from panda_gym.benchmarking.table import BenchmarkTable
from panda_gym.units import SECONDS_PER_HOUR

OVER_SEEDS: Final[Mapping[str, Callable[[np.ndarray], float]]] = {
    "slowdown": lambda values: float(np.exp(np.log(values).mean())),
    "turnaround": lambda values: float(values.mean() / SECONDS_PER_HOUR),
}
"""How the values of several seeds become one figure; turnaround in hours."""

ORDER: Final = "geometric_slowdown"
"""Measure that orders the rows, best first."""

EXPLAINED: Final = {
    "slowdown": "geometric mean bounded slowdown (1: no wait, on the fastest core)",
    "turnaround": "mean time from arrival to end, hours",
}
"""What a figure is, for readers."""


def class_tables(table: BenchmarkTable, stream: str) -> list[TextTable]:
    """Return a table for each figure and way to class jobs; none for tables without classes."""
    found = [_table(table, stream, m, c) for c in CLASSES for m in CLASS_MEASURES]
    return [one for one in found if one is not None]


def _table(
    table: BenchmarkTable, stream: str, measure: ClassMeasure, classes: JobClasses
) -> TextTable | None:
    """Return one table, with the classes that have a job in some episode; None without any."""
    values = {
        policy: [
            _figure(table.episodes(policy, stream), measure.name, classes.name, number_of)
            for number_of in range(len(classes.labels))
        ]
        for policy in sorted(table.policies, key=lambda p: _rank(table, stream, p))
    }
    shown = [k for k in range(len(classes.labels)) if any(row[k] for row in values.values())]
    if not shown:
        return None
    caption = (
        f"{stream}, {classes.title}: {EXPLAINED[measure.name]}. A column is a class of jobs, the "
        f"same jobs for every policy; the mean over {len(table.seeds)} seeds; less is better."
    )
    rows = [[policy, *(row[k] or "–" for k in shown)] for policy, row in values.items()]
    return TextTable(caption, ["policy", *(classes.labels[k] for k in shown)], rows)


def _rank(table: BenchmarkTable, stream: str, policy: str) -> float:
    """Return what policies are ordered by, as in the other figures of a page."""
    return table.interval(policy, ORDER, stream).value if ORDER in table.metrics else 0.0


def _figure(
    episodes: Sequence[Mapping[str, float]], measure: str, classes: str, number_of: int
) -> str:
    """Return the figure of a class over all episodes that have such jobs; empty without any."""
    at = key(measure, classes, number_of)
    values = np.array([one[at] for one in episodes if at in one])
    return number(OVER_SEEDS[measure](values)) if len(values) else ""
