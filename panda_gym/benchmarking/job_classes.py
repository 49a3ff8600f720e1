"""Slowdown and turnaround of classes of jobs: who pays for a good mean.

Jobs are classed in two ways: by tenths of the judged jobs in order of true work (at equal work, in
order of arrival), and by the cores that a job needs. A class without a job in an episode has no
value there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from panda_gym.benchmarking.measures import Outcomes

Array = np.ndarray

DECILES: Final = 10


@dataclass(frozen=True)
class JobClasses:
    """One way to class jobs.

    name: of the way. labels: of the classes, for readers. of: number of each judged job's class.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    of: Callable[[Outcomes], Array]


@dataclass(frozen=True)
class ClassMeasure:
    """One figure of the jobs of a class: name, unit, meaning, and its value from an array."""

    name: str
    unit: str
    meaning: str
    of: Callable[[Outcomes], Array]
    mean: Callable[[Array], float]


def work_decile(run: Outcomes) -> Array:
    """Return the tenth of the judged jobs by true work that each belongs to, int64[m], 0 .. 9."""
    work = run.work[run.judged]
    rank = np.empty(len(work), np.int64)
    rank[np.argsort(work, kind="stable")] = np.arange(len(work))
    return rank * DECILES // max(1, len(work))


CORES: Final = (1, 2, 8, 9)
"""Fewest cores of each class by cores."""


def cores_class(run: Outcomes) -> Array:
    """Return the class of CORES that each judged job belongs to, int64[m]."""
    return np.searchsorted(CORES, run.cores[run.judged], side="right") - 1


CLASSES: Final = (
    JobClasses(
        "work",
        "tenths of the jobs by work",
        ("least work", *(f"tenth {k}" for k in range(2, DECILES)), "most work"),
        work_decile,
    ),
    JobClasses(
        "cores",
        "jobs by cores",
        ("1 core", "2 to 7 cores", "8 cores", "9 cores or more"),
        cores_class,
    ),
)
"""Ways to class jobs."""

CLASS_MEASURES: Final = (
    ClassMeasure(
        "slowdown",
        "1",
        "geometric mean of the bounded slowdown",
        lambda run: np.log(run.slowdown()),
        lambda values: float(np.exp(values.mean())),
    ),
    ClassMeasure(
        "turnaround",
        "s",
        "mean time from arrival to end",
        lambda run: run.turnaround(),
        lambda values: float(values.mean()),
    ),
)
"""Figures of a class."""


def key(measure: str, classes: str, number: int) -> str:
    """Return the name of a class's figure among the values of an episode: slowdown.work.9."""
    return f"{measure}.{classes}.{number}"


def measured_by_class(run: Outcomes) -> dict[str, float]:
    """Return every figure of every class that has a job in the episode, by `key`."""
    found = {}
    for classes in CLASSES:
        member = classes.of(run)
        for measure in CLASS_MEASURES:
            values = measure.of(run)
            for number in np.unique(member).tolist():
                at = key(measure.name, classes.name, number)
                found[at] = measure.mean(values[member == number])
    return found
