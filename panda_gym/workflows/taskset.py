"""Task sets: groups of like tasks, what each task needs and how long it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from panda_gym.deprecated import FIELDS, old_keywords
from panda_gym.errors import WorkflowError, nearest

Array = np.ndarray
Draw = Callable[[np.random.Generator, Array, Array], Array]


def _fixed(rng: np.random.Generator, mean: Array, sd: Array) -> Array:
    return mean.copy()


def _normal(rng: np.random.Generator, mean: Array, sd: Array) -> Array:
    return np.maximum(rng.normal(mean, sd), 0.0)


def _lognormal(rng: np.random.Generator, mean: Array, sd: Array) -> Array:
    variance = np.log1p((sd / np.maximum(mean, 1e-300)) ** 2)
    return np.where(mean > 0.0, mean * np.exp(rng.normal(-variance / 2, np.sqrt(variance))), 0.0)


def _exponential(rng: np.random.Generator, mean: Array, sd: Array) -> Array:
    return rng.exponential(mean)


DISTRIBUTIONS: Final[dict[str, Draw]] = {
    "fixed": _fixed,
    "normal": _normal,
    "lognormal": _lognormal,
    "exponential": _exponential,
}
"""Distributions of durations by name: `draw(rng, mean[n], sd[n])` returns seconds [n].

All have mean `mean` (`normal` is cut at 0). Standard deviation is `sd` except for `fixed` and
`exponential`.
"""

DISTRIBUTION_NAMES: Final = tuple(DISTRIBUTIONS)
"""Names of the distributions; a code is a position in this tuple."""

MOST: Final = 1e18
"""Upper limit of bytes, seconds and GB, so that every sum stays finite."""


@old_keywords(**FIELDS["TaskSet"])
@dataclass(frozen=True)
class TaskSet:
    """Like tasks of a workflow, which share needs, durations and dependencies.

    Raises WorkflowError if a field is out of range; the error names the set and the field.
    """

    id: str
    """Unique in its workflow."""
    tasks: int = 1
    """How many tasks, at least 1."""
    mean_s: float = 0.0
    """Mean duration of a task, s, at least 0."""
    kind: str = ""
    """Kind of work; sets of one kind count once in DOA_res. The id if left out."""
    cores: int = 0
    """Whole cores that a task holds."""
    threads: int = 0
    """Hardware threads that a task holds, where more than those of its cores."""
    gpus: int = 0
    """GPUs that a task holds."""
    memory_gb: float = 0.0
    """Memory that a task holds, GB."""
    sd_s: float = 0.0
    """Standard deviation of the durations, s, for the distributions that have one."""
    distribution: str = "fixed"
    """Name of the distribution of durations, one of `DISTRIBUTIONS`."""
    input_bytes: float = 0.0
    """Bytes that a task reads from outside the workflow."""
    output_bytes: float = 0.0
    """Bytes that a task writes."""

    def __post_init__(self) -> None:
        for field in ("id", "kind", "distribution"):
            value = getattr(self, field)
            if not isinstance(value, str) or (field == "id" and not value):
                raise WorkflowError(
                    f"{field} of task set {self.id!r} as text", repr(value), "correct it"
                )
        for field, least in (("tasks", 1), ("cores", 0), ("threads", 0), ("gpus", 0)):
            _whole(self.id, field, getattr(self, field), least)
        if self.cores == 0 and self.threads == 0:
            raise WorkflowError(
                f"task set {self.id!r} to hold at least one core or thread",
                "cores=0 and threads=0",
                "set cores or threads to 1 or more",
            )
        for field in ("mean_s", "sd_s", "memory_gb", "input_bytes", "output_bytes"):
            _finite(self.id, field, getattr(self, field))
        if self.distribution not in DISTRIBUTIONS:
            raise WorkflowError(
                f"a duration distribution of task set {self.id!r}",
                repr(self.distribution),
                nearest(str(self.distribution), DISTRIBUTIONS),
            )


def _whole(name: str, field: str, value: Any, least: int) -> None:
    good = not isinstance(value, bool) and hasattr(value, "__index__") and int(value) >= least
    if not good or int(value) > np.iinfo(np.int32).max:
        raise WorkflowError(
            f"{field} of task set {name!r} as a whole number of at least {least}",
            repr(value),
            "correct it",
        )


def _finite(name: str, field: str, value: Any) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 <= value < MOST:
        raise WorkflowError(
            f"{field} of task set {name!r} as a number from 0 to below {MOST:g}",
            repr(value),
            "correct it",
        )
