"""Score sites by a few weighted terms, fitted on training seeds.

The score of a site is minus the expected ln slowdown of the job there and a weighted sum of what
else may matter. Where every weight is 0 it ranks by earliest completion, so what the weights add
is what was learned. They stand in `tuned.csv`, a column a scenario, beside the command that fitted
them (`panda_gym.benchmarking.tuning`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from panda_gym.environments.base.features import position
from panda_gym.environments.placement.observation import SITE_FEATURES, PlacementView
from panda_gym.environments.placement.policies.base import Ranking
from panda_gym.errors import PolicyError, nearest

Array = np.ndarray

TABLE: Final = Path(__file__).with_name("tuned.csv")
BOUND_S: Final = 600.0
"""Run times below it count as this, as in the bounded slowdown."""


@dataclass(frozen=True)
class Weight:
    """One number of the score."""

    name: str
    meaning: str


EXPONENTS: Final = (
    Weight("wait", "ln of the factor on the expected wait"),
    Weight("transfer", "ln of the factor on the expected stage-in"),
    Weight("delay", "ln of the factor on a fixed 300 s that every start takes"),
)
"""Weights inside the expected completion; 0 is a factor of 1."""


class Sight:
    """What the terms are made of, computed once; float32 [E, S], or [E, 1] of the job."""

    def __init__(self, view: PlacementView) -> None:
        self.view = view
        self.wait, self.transfer, self.run = (self.site(n) for n in ("wait", "transfer", "run"))
        self.cores, self.power = np.maximum(self.site("cores"), 1.0), self.site("power")
        ideal = (self.run * self.power).max(axis=1, keepdims=True)
        self.ideal = np.maximum(ideal / self.power.max(axis=1, keepdims=True), BOUND_S)
        self.size = np.log(self.ideal / 7200.0)
        self.queue = np.log1p(self.site("queued_work") / self.cores / 3600.0)
        self.busy = 1.0 - np.minimum(self.site("free_cores") / self.cores, 1.0)
        self.fast = np.log(np.maximum(self.power, 1e-6) / 10.0)
        self.input = view.job("input_bytes").astype(np.float32)
        self.remote = (self.site("local_share") < 1.0) & (self.input > 0.0)

    def site(self, name: str) -> Array:
        """A feature of every site in natural units; float32, whose logarithms cost a fifth."""
        row = position(SITE_FEATURES, name)
        feature, code = SITE_FEATURES[row], self.view.codes("sites")[:, row]
        if feature.kind == "linear":
            return code * np.float32(feature.scale)
        return code * np.float32(feature.scale) / np.maximum(1.0 - code, np.float32(1e-7))


TERMS: Final[tuple[tuple[Weight, Callable[[Sight], Array]], ...]] = (
    (Weight("failures", "recent share of failures"), lambda v: v.site("failure_rate")),
    (Weight("queue", "ln(1 + predicted hours of work ahead a core)"), lambda v: v.queue),
    (Weight("queue x size", "the same times ln of the job's size"), lambda v: v.queue * v.size),
    (Weight("busy", "share of the cores that are taken"), lambda v: v.busy),
    (Weight("busy x size", "the same times ln of the job's size"), lambda v: v.busy * v.size),
    (Weight("fast", "ln of the core's speed"), lambda v: v.fast),
    (Weight("fast x size", "the same times ln of the job's size"), lambda v: v.fast * v.size),
    (Weight("large", "ln of the site's cores"), lambda v: np.log(v.cores) / 4.0),
    (Weight("remote", "1 where the input must move"), lambda v: v.remote * np.float32(1.0)),
    (
        Weight("remote bytes", "input / (input + 5 GB) where it must move"),
        lambda v: v.remote * (v.input / (v.input + np.float32(5e9))),
    ),
    (
        Weight("staging", "jobs a core whose input is on its way"),
        lambda v: np.log1p(v.site("assigned") / v.cores),
    ),
    (
        Weight("far", "closeness to the best replica where the input must move"),
        lambda v: v.remote * v.site("closeness") / 11.0,
    ),
)
"""Terms added to the expected ln slowdown."""

WEIGHTS: Final = EXPONENTS + tuple(weight for weight, _ in TERMS)
"""All weights in the order of the table."""


def cost(view: PlacementView, weights: Array) -> Array:
    """Return what the score is minus of, float32[E, S].

    weights: float64[E, len(WEIGHTS)], or one row for all.
    """
    sight, columns = Sight(view), np.atleast_2d(weights).astype(np.float32)[:, :, None]
    wait, transfer, delay = (np.exp(columns[:, k]) for k in range(len(EXPONENTS)))
    late = wait * sight.wait + transfer * sight.transfer + 300.0 * delay
    total = np.log((late + sight.run) / sight.ideal)
    for k, (_, term) in enumerate(TERMS, start=len(EXPONENTS)):
        total = total + columns[:, k] * term(sight)
    return total


@dataclass(frozen=True)
class Tuned(Ranking):
    """Minimum of a size-aware cost whose weights were fitted on training seeds of a scenario.

    weights: the column of `tuned.csv`: the scenario that they were fitted on.
    """

    weights: str = "default"
    row: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        table = fitted()
        if self.weights not in table:
            hint = nearest(str(self.weights), table)
            raise PolicyError("weights fitted on a scenario", repr(self.weights), hint)
        object.__setattr__(self, "row", table[self.weights])

    def score(self, view: PlacementView) -> Array:
        return -cost(view, self.row)


@cache
def fitted() -> dict[str, Array]:
    """Weights by the scenario on which they were fitted, float64[len(WEIGHTS)]."""
    return read_table(TABLE)


def read_table(path: Path) -> dict[str, Array]:
    """Weights by name from a table whose columns are scenarios; PolicyError if it is another."""
    with path.open(newline="", encoding="utf-8") as file:
        head, *lines = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    names = [weight.name for weight in WEIGHTS]
    if [line[0] for line in lines] != names:
        came = ", ".join(line[0] for line in lines)
        raise PolicyError(f"the weights {', '.join(names)}", came, "fit the table again")
    columns = np.array([line[1:] for line in lines], dtype=np.float64).T
    return dict(zip(head[1:], columns, strict=True))
