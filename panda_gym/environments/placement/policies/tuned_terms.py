"""Compute the weighted terms by which the policy `tuned` scores a site.

The cost of a site is the expected ln slowdown of the job there plus a weighted sum of terms. A term
is a row of `SITE_ROWS` (or the product of two) times a row of `JOB_ROWS`. Rows are shares, or
logarithms of amounts a core or relative to the mean site, so that they mean the same at every scale
of the platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from panda_gym.environments.placement.observation import SITE_FEATURES, PlacementView

Array = np.ndarray

BOUND_S: Final = 600.0
"""Run times below it count as this, as in the bounded slowdown."""
DELAY_S: Final = 300.0
"""The fixed time that every start takes, before its factor."""

SITE_ROWS: Final[Mapping[str, str]] = {
    "failures": "recent share of failures",
    "queue": "ln(1 + predicted hours of work ahead a core)",
    "busy": "share of the cores that are taken",
    "fast": "ln of the core's speed / 10 HS23",
    "large": "ln of the site's cores, less its mean over the sites, / 4",
    "remote": "1 where the input must move",
    "remote bytes": "input / (input + 5 GB) where it must move",
    "staging": "ln(1 + jobs a core whose input is on its way)",
    "far": "closeness to the best replica / 11 where the input must move",
    "waiting": "ln(1 + waiting jobs a core)",
    "wait hours": "ln(1 + hours of the job's expected wait)",
    "stage-in": "ln(1 + expected stage-in / 600 s)",
    "fits": "1 where as many cores are free as the job needs",
    "share": "share of the site's cores that the job takes",
}
"""Rows of a site, by name."""

JOB_ROWS: Final[Mapping[str, str]] = {
    "1": "1",
    "size": "ln of the job's run time on the fastest core / 2 h",
    "size^2": "its square",
    "cores": "ln of the job's cores / ln 8",
    "load": "ln(1 + predicted queued work of the whole grid / core s in an hour)",
}
"""Rows of a job, by name."""


@dataclass(frozen=True)
class Term:
    """One weighted term: `first` x `second` (rows of a site) x `job` (row of a job)."""

    first: str
    second: str | None = None
    job: str = "1"

    @property
    def name(self) -> str:
        """Name in files of weights, such as "queue x size"."""
        parts = (self.first, self.second, self.job)
        return " x ".join(part for part in parts if part not in (None, "1"))


EXPONENTS: Final[Mapping[str, str]] = {
    "wait": "ln of the factor on the expected wait",
    "transfer": "ln of the factor on the expected stage-in",
    "delay": f"ln of the factor on a fixed {DELAY_S:.0f} s that every start takes",
}
"""Weights inside the expected completion; 0 is a factor of 1."""

TERMS: Final = (
    *(Term(name) for name in SITE_ROWS),
    *(Term(name, job="size") for name in ("failures", "queue", "busy", "fast", "large", "fits")),
    *(Term(name, job="size^2") for name in ("queue", "busy", "fast")),
    *(Term(name, job="cores") for name in ("queue", "busy", "fast", "large", "waiting", "fits")),
    *(Term(name, job="load") for name in ("queue", "busy", "fast")),
    *(Term(name, name) for name in ("queue", "busy", "fast", "large")),
    *(Term(*pair) for pair in (("queue", "fast"), ("queue", "large"), ("busy", "large"))),
)
"""Terms added to the expected ln slowdown."""

NAMES: Final = (*EXPONENTS, *(term.name for term in TERMS))
"""All weights, in the order of the arrays of weights."""

_SITE: Final = tuple(SITE_ROWS)
_JOB: Final = tuple(JOB_ROWS)
_PAIRS: Final = tuple((t.first, t.second) for t in TERMS if t.second is not None)
_ROWS: Final = (*((name, None) for name in _SITE), *_PAIRS)
"""Rows of `Rows.sites`."""
_ROW: Final = {feature.name: row for row, feature in enumerate(SITE_FEATURES)}
_SCALES: Final = np.array([[feature.scale] for feature in SITE_FEATURES], dtype=np.float32)
_IS_RATIO: Final = np.array([[feature.kind == "ratio"] for feature in SITE_FEATURES])
_WEIGHED: Final = np.array(
    [[(t.first, t.second) == row for row in _ROWS] for t in TERMS], dtype=np.float32
)
"""1 at the row of `Rows.sites` that each term weighs, float32[terms, rows]."""
_BY: Final = np.array([_JOB.index(t.job) for t in TERMS])
"""Row of `Rows.job` that each term is multiplied by."""


class Rows:
    """Rows of an observation, computed when asked for; float32 [E, S], or [E, 1] of the job."""

    def __init__(self, view: PlacementView) -> None:
        self.view = view
        self.wait, self.transfer, self.run = (self.site(n) for n in ("wait", "transfer", "run"))
        self.cores, self.power = np.maximum(self.site("cores"), 1.0), self.site("power")
        ideal = (self.run * self.power).max(axis=1, keepdims=True)
        self.ideal = np.maximum(ideal / self.power.max(axis=1, keepdims=True), BOUND_S)
        self.needed = np.maximum(view.job("cores").astype(np.float32), 1.0)
        self.input = view.job("input_bytes").astype(np.float32)
        self.remote = (self.site("local_share") < 1.0) & (self.input > 0.0)

    def site(self, name: str) -> Array:
        """A feature of every site in natural units; float32, whose logarithms cost a fifth."""
        return self.natural[:, _ROW[name]]

    @cached_property
    def natural(self) -> Array:
        """All features of the sites in natural units, float32[E, F, S]."""
        code = self.view.codes("sites")
        below = np.where(_IS_RATIO, np.maximum(1.0 - code, np.float32(1e-7)), np.float32(1.0))
        return code * _SCALES / below

    @cached_property
    def sites(self) -> Array:
        """`SITE_ROWS` and then the products of two that a term takes, float32[E, rows, S]."""
        found = np.empty((len(self.view), len(_ROWS), self.run.shape[1]), np.float32)
        free, per_core = self.site("free_cores"), np.float32(1.0) / self.cores
        values = (
            self.site("failure_rate"),
            np.log1p(self.site("queued_work") * per_core / np.float32(3600.0)),
            1.0 - np.minimum(free * per_core, 1.0),
            np.log(np.maximum(self.power, 1e-6) / np.float32(10.0)),
            self._large(),
            self.remote,
            self.remote * (self.input / (self.input + np.float32(5e9))),
            np.log1p(self.site("assigned") * per_core),
            self.remote * self.site("closeness") / np.float32(11.0),
            np.log1p(self.site("activated") * per_core),
            np.log1p(self.wait / np.float32(3600.0)),
            np.log1p(self.transfer / np.float32(600.0)),
            free > self.needed - np.float32(0.5),  # codes are rounded
            np.minimum(self.needed * per_core, 1.0),
        )
        for row, value in enumerate(values):
            found[:, row] = value
        for row, (a, b) in enumerate(_PAIRS, start=len(_SITE)):
            np.multiply(found[:, _SITE.index(a)], found[:, _SITE.index(b)], out=found[:, row])
        return found

    def _large(self) -> Array:
        logs = np.log(self.cores)
        return (logs - logs.mean(axis=1, keepdims=True)) / np.float32(4.0)

    @cached_property
    def job(self) -> Array:
        """`JOB_ROWS`, float32[E, rows]."""
        size = np.log(self.ideal / np.float32(7200.0))
        cores = np.log(self.needed) / np.float32(np.log(8.0))
        load = np.log1p(self.view.grid("queued_share"))
        return np.hstack([np.ones_like(size), size, size * size, cores, load]).astype(np.float32)


def cost(view: PlacementView, weights: Array) -> Array:
    """Return the cost of every site, float32[E, S]; the least is the best.

    weights: float64[E, len(NAMES)], or one row for all, in the order of `NAMES`.
    """
    rows, table = Rows(view), np.atleast_2d(weights).astype(np.float32)
    wait, transfer, delay = (np.exp(table[:, k, None]) for k in range(len(EXPONENTS)))
    late = wait * rows.wait + transfer * rows.transfer + np.float32(DELAY_S) * delay
    weighed = table[:, len(EXPONENTS) :] * rows.job[:, _BY]
    added = np.matmul((weighed @ _WEIGHED)[:, None, :], rows.sites)[:, 0]
    return np.log((late + rows.run) / rows.ideal) + added
