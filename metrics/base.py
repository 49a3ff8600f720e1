"""What a score is and which metrics exist; knows no formula.

A metric is a function of a `Study` that returns scores. `METRICS` names every one as
"module:function"; adding a metric is one function and one line there.
"""

from __future__ import annotations

import importlib
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from metrics.array_cache import Drawer
from metrics.tables.blocks import blocks, blocks_of_both
from metrics.tables.samples import Sample

PARTS = ("fidelity", "efficacy", "privacy", "temporal")
"""The parts of a certificate, in the order in which they are reported."""

METRICS: dict[str, str] = {
    "wd": "metrics.fidelity.columns:measure_wd",
    "jsd": "metrics.fidelity.columns:measure_jsd",
    "diff_corr": "metrics.fidelity.association:measure",
    "strata": "metrics.fidelity.strata:measure",
    "c2st": "metrics.fidelity.detection:measure",
    "coverage": "metrics.fidelity.coverage:measure",
    "paper_compat": "metrics.fidelity.paper_compat:measure",
    "ranking": "metrics.efficacy.ranking:measure",
    "dcr": "metrics.privacy.distances:measure",
    "nndr": "metrics.privacy.nndr:measure",
    "k_anonymity": "metrics.privacy.k_anonymity:measure",
    "membership": "metrics.privacy.membership:measure",
    "group_membership": "metrics.privacy.group_membership:measure",
    "white_box": "metrics.privacy.white_box:measure",
    "singling_out": "metrics.privacy.singling_out:measure",
    "linkability": "metrics.privacy.linkability:measure",
    "inference": "metrics.privacy.inference:measure",
    "time": "metrics.temporal:measure",
    "mlef": "metrics.efficacy.models:measure",
}
"""Every metric of a certificate: {name: "module:function"}; the dearest last."""

PART_OF = {
    "wd": "fidelity",
    "jsd": "fidelity",
    "diff_corr": "fidelity",
    "strata": "fidelity",
    "c2st": "fidelity",
    "coverage": "fidelity",
    "paper_compat": "fidelity",
    "mlef": "efficacy",
    "ranking": "efficacy",
    "dcr": "privacy",
    "nndr": "privacy",
    "k_anonymity": "privacy",
    "membership": "privacy",
    "group_membership": "privacy",
    "white_box": "privacy",
    "singling_out": "privacy",
    "linkability": "privacy",
    "inference": "privacy",
    "time": "temporal",
}
"""The part that each metric's scores belong to."""

OTHER_IDS: dict[str, tuple[str, ...]] = {
    "jsd": ("novel_levels", "missing_levels"),
    "strata": ("tail_*", "rare_levels", "pair_tv"),
    "coverage": ("alpha_precision", "beta_recall"),
    "mlef": ("diff_mlef", "efficacy_lost"),
    "dcr": ("exact_copies", "near_copies", "closer_to_train"),
    "k_anonymity": ("rare_combinations",),
    "time": (
        "batch*",
        "interarrival*",
        "autocorrelation*",
        "fano*",
        "hour_of_*",
        "day_of_week",
        "daily",
    ),
}
"""Ids of scores that a policy may grade and that do not begin with their metric's name."""


@dataclass(frozen=True)
class Score:
    """One number with everything needed to judge it."""

    id: str
    """Name within the certificate, for example "wd.workload"."""
    part: str
    """One of `PARTS`."""
    value: float
    """The metric of the synthetic table; NaN when it could not be computed."""
    low: float
    """Lower end of the value's interval."""
    high: float
    """Upper end of the value's interval."""
    floor: float
    """The same metric of a real sample of the same size: what a perfect generator scores."""
    bound: float
    """Upper confidence bound of the excess over the floor, in the direction that is worse."""
    n: int
    """Synthetic rows that the value was computed on."""
    margin: float | None = None
    """Largest excess that counts as equivalent; None for a score that informs only."""
    better: str = "lower"
    """"lower" or "higher": which direction is better."""
    note: str = ""
    """What a reader must know beside the number."""
    tail: str = "normal"
    """How the bound was formed: "normal", "count" or "dkw"; see
    `metrics.statistics.equivalence`."""
    shown: bool | None = None
    """Whether Holm's procedure over the graded scores shows equivalence; None before judging."""

    @property
    def excess(self) -> float:
        """How far the value is worse than its floor (negative: better)."""
        gap = self.value - self.floor
        return gap if self.better == "lower" else -gap

    @property
    def passed(self) -> bool | None:
        """Whether equivalence is shown, by the bound alone before judging; None if it informs."""
        if self.margin is None:
            return None
        within = math.isfinite(self.bound) and self.bound <= self.margin
        return within if self.shown is None else within and self.shown

    @property
    def grade(self) -> str:
        """A: shown within half the margin; B: within it; C: within it, but not shown; F; "-"."""
        if not all(map(math.isfinite, (self.value, self.low, self.high, self.floor, self.bound))):
            return "F"
        if self.margin is None:
            return "-"
        if self.passed:
            return "A" if self.bound <= self.margin / 2 else "B"
        return "C" if self.excess <= self.margin else "F"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for a certificate, without the id and what its verdict derives."""
        fields = asdict(self)
        del fields["id"], fields["shown"]
        return fields


Loss = Callable[[pd.DataFrame], np.ndarray]
"""A generator's loss of rows, float64[rows] or float64[rows, k]; lower for rows it knows."""


@dataclass(frozen=True)
class Study:
    """Three tables and how to look at them: the one argument of every metric."""

    train: Sample
    """What the generator saw."""
    holdout: Sample
    """Real rows that it did not see."""
    synthetic: Sample
    """What it made."""
    target: str | None
    """The number that efficacy predicts."""
    time: str | None
    """The column that orders the rows in time."""
    seed: int
    """Seed of every draw."""
    settings: Mapping[str, Any]
    """Sizes and repetitions by name, from the policy."""
    alpha: float = 0.05
    """Error level of every interval (two-sided) and bound (one-sided)."""
    loss: Loss | None = None
    """The generator's own loss of rows, for the white-box attack; None where it is not given."""
    outcomes: Mapping[str, pd.DataFrame] | None = None
    """Outcomes of policies (rows) on worlds (columns) of "real" and "synthetic" jobs, or None."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Curves and tests that a metric leaves for the report, by metric name."""
    shared: dict[str, Any] = field(default_factory=dict)
    """What one metric computed and another may reuse, such as an index of the training rows."""
    drawer: Drawer = field(default_factory=Drawer)
    """Where arrays that are dear to compute outlive the run; by default nowhere."""
    threads: int | None = None
    """Threads of a regressor, which change no number; None: as many as the settings say."""
    tell: Callable[[str], None] | None = None
    """Told what a long metric is at, in a few words; None: nobody listens."""

    def rng(self, word: str) -> np.random.Generator:
        """Return the generator of this study for one purpose."""
        return np.random.default_rng([self.seed, zlib.crc32(word.encode())])

    def blocks(self, sample: Sample) -> np.ndarray | None:
        """Return the block of each row that a bootstrap draws whole, or None (see `blocks`)."""
        return blocks(sample, str(self.settings.get("blocks", "row")), self.time)

    def blocks_of_both(self, a: Sample, b: Sample) -> np.ndarray | None:
        """Return the blocks of the rows of two samples, those in both being one (see `blocks`)."""
        return blocks_of_both(a, b, str(self.settings.get("blocks", "row")), self.time)

    def matched(self, setting: str) -> int:
        """Return the size at which synthetic and real samples are compared."""
        return min(len(self.synthetic), len(self.holdout), int(self.settings[setting]))

    def draws(self, setting: str) -> tuple[Sample, Sample]:
        """Return a synthetic and a holdout sample of the same size."""
        n = self.matched(setting)
        synthetic = self.synthetic.draw(n, self.rng(f"{setting}/synthetic"))
        return synthetic, self.holdout.draw(n, self.rng(f"{setting}/holdout"))


Measure = Callable[[Study], list[Score]]


def names() -> tuple[str, ...]:
    """Return the names of the registered metrics."""
    return tuple(METRICS)


def load(name: str) -> Measure:
    """Return the registered metric of this name."""
    module, _, attribute = METRICS[name].partition(":")
    measure: Measure = getattr(importlib.import_module(module), attribute)
    return measure
