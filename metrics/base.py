"""Scores, studies and the registry of metrics.

A metric is a function of a `Study` that returns scores. `METRICS` has one line for each; to add a
metric, write the function and its line. A certificate's parts, captions and demands follow from it.
"""

from __future__ import annotations

import importlib
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from metrics.array_cache import ArrayCache
from metrics.deprecated import warn
from metrics.tables.blocks import blocks, blocks_of_both
from metrics.tables.samples import Sample

PARTS = ("fidelity", "efficacy", "privacy", "temporal")
"""The parts of a certificate, in the order in which they are reported."""


@dataclass(frozen=True)
class Metric:
    """One line of the registry: everything that is known of a metric before it is measured."""

    measure: str
    """Where it is measured, "module:function"; the function maps a `Study` to scores."""
    part: str
    """One of `PARTS`: the part of the certificate that all its scores belong to."""
    label: str
    """Its headline score in words, for captions of tables."""
    unit: str
    """Unit of the headline score."""
    better: str = "lower"
    """Which direction of the headline score is better: "lower" or "higher"."""
    others: tuple[str, ...] = ()
    """Ids of further scores that do not begin with the metric's name; "*" stands for any text."""


METRICS: dict[str, Metric] = {
    "wd": Metric(
        "metrics.fidelity.columns:measure_wd",
        "fidelity",
        "Wasserstein distance of numbers",
        "rank scale, 0 to 1",
    ),
    "jsd": Metric(
        "metrics.fidelity.columns:measure_jsd",
        "fidelity",
        "Jensen-Shannon divergence of categories",
        "bits",
        others=("novel_levels", "missing_levels"),
    ),
    "diff_corr": Metric(
        "metrics.fidelity.association:measure",
        "fidelity",
        "difference of association matrices",
        "association, 0 to 1",
    ),
    "strata": Metric(
        "metrics.fidelity.strata:measure",
        "fidelity",
        "tails, rare levels and pairs of columns",
        "relative error",
        others=("tail_*", "rare_levels", "pair_tv"),
    ),
    "c2st": Metric(
        "metrics.fidelity.detection:measure",
        "fidelity",
        "classifier two-sample test",
        "area under the ROC curve",
    ),
    "coverage": Metric(
        "metrics.fidelity.coverage:measure",
        "fidelity",
        "alpha-precision and beta-recall",
        "1 at best",
        better="higher",
        others=("alpha_precision", "beta_recall"),
    ),
    "paper_compat": Metric(
        "metrics.fidelity.paper_compat:measure",
        "fidelity",
        "row-aligned WD and JSD",
        "standard deviations; share of rows",
    ),
    "ranking": Metric(
        "metrics.efficacy.ranking:measure",
        "efficacy",
        "agreement of policy rankings",
        "Kendall's tau",
        better="higher",
    ),
    "dcr": Metric(
        "metrics.privacy.distances:measure",
        "privacy",
        "distance to the closest training row",
        "rank scale",
        better="higher",
        others=(
            "exact_copies",
            "near_copies",
            "tight_copies",
            "partial_copies",
            "closer_to_train",
        ),
    ),
    "nndr": Metric(
        "metrics.privacy.nndr:measure",
        "privacy",
        "nearest-neighbour distance ratio",
        "ratio",
        better="higher",
    ),
    "k_anonymity": Metric(
        "metrics.privacy.k_anonymity:measure",
        "privacy",
        "rows in small classes of categories",
        "share of rows",
        others=("rare_combinations",),
    ),
    "membership": Metric(
        "metrics.privacy.membership:measure",
        "privacy",
        "black-box membership attack",
        "area under the ROC curve",
    ),
    "group_membership": Metric(
        "metrics.privacy.group_membership:measure",
        "privacy",
        "black-box membership attack on groups",
        "area under the ROC curve",
    ),
    "white_box": Metric(
        "metrics.privacy.white_box:measure",
        "privacy",
        "white-box loss attack",
        "area under the ROC curve",
    ),
    "singling_out": Metric(
        "metrics.privacy.singling_out:measure",
        "privacy",
        "singling-out attack",
        "share of attacks",
    ),
    "linkability": Metric(
        "metrics.privacy.linkability:measure",
        "privacy",
        "linkability attack",
        "share of attacks",
    ),
    "inference": Metric(
        "metrics.privacy.inference:measure",
        "privacy",
        "attribute inference attack",
        "share of attacks",
    ),
    "time": Metric(
        "metrics.temporal:measure",
        "temporal",
        "cycles, bursts and batches in time",
        "distance of streams",
        others=(
            "batch*",
            "interarrival*",
            "autocorrelation*",
            "fano*",
            "hour_of_*",
            "day_of_week",
            "daily",
        ),
    ),
    "mlef": Metric(
        "metrics.efficacy.models:measure",
        "efficacy",
        "machine-learning efficacy",
        "squared error of the logarithm",
        others=("diff_mlef", "efficacy_lost"),
    ),
}
"""Every metric of a certificate by name; the most expensive last."""


NUMBERS = ("value", "low", "high", "real_vs_real", "bound")
"""The numbers of a score that must be finite."""


@dataclass(frozen=True)
class Score:
    """One number of a metric with its interval, reference, bound and margin."""

    id: str
    """Name within the certificate, for example "wd.workload"."""
    value: float
    """The metric of the synthetic table; NaN when it could not be computed."""
    low: float
    """Lower end of the value's interval."""
    high: float
    """Upper end of the value's interval."""
    real_vs_real: float
    """Real-vs-real reference: the same metric of a real sample of the same size."""
    bound: float
    """Upper confidence bound of the excess over `real_vs_real`, in the worse direction."""
    n: int
    """Synthetic rows that the value was computed on."""
    margin: float | None = None
    """Largest excess that counts as equivalent; None for a score that informs only."""
    better: str = "lower"
    """Which direction is better: "lower" or "higher"."""
    note: str = ""
    """What a reader must know beside the number."""
    tail: str = "normal"
    """How the bound was formed: "normal", "count" or "dkw"; see
    `metrics.statistics.equivalence`."""
    shown: bool | None = None
    """Whether Holm's procedure over the graded scores shows equivalence; None before it is run."""
    part: str = ""
    """One of `PARTS`; set from the registry by `load`."""

    @property
    def floor(self) -> float:
        """Old name of `real_vs_real`."""
        warn("Score.floor", "Score.real_vs_real")
        return self.real_vs_real

    @property
    def excess(self) -> float:
        """How far the value is worse than the real-vs-real reference (negative: better)."""
        gap = self.value - self.real_vs_real
        return gap if self.better == "lower" else -gap

    @property
    def passed(self) -> bool | None:
        """Whether equivalence is shown (by the bound alone before Holm's procedure) or None."""
        if self.margin is None:
            return None
        within = math.isfinite(self.bound) and self.bound <= self.margin
        return within if self.shown is None else within and self.shown

    @property
    def grade(self) -> str:
        """A: shown within half the margin; B: within it; C: within it, but not shown; F; "-"."""
        if not self.is_finite:
            return "F"
        if self.margin is None:
            return "-"
        if self.passed:
            return "A" if self.bound <= self.margin / 2 else "B"
        return "C" if self.excess <= self.margin else "F"

    @property
    def is_finite(self) -> bool:
        """Whether every number of the score could be computed."""
        return all(math.isfinite(getattr(self, name)) for name in NUMBERS)

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
    cache: ArrayCache = field(default_factory=ArrayCache)
    """Where arrays that are expensive to compute outlive the run; by default nowhere."""
    threads: int | None = None
    """Threads of a regressor, which change no number; None: as many as the settings say."""
    report: Callable[[str], None] | None = None
    """Called with what a long metric is doing, in a few words; None: not called."""

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
    """Return the registered metric of this name; its scores carry the part of its line."""
    metric = METRICS[name]
    module, _, attribute = metric.measure.partition(":")
    function: Measure = getattr(importlib.import_module(module), attribute)

    def measure(study: Study) -> list[Score]:
        return [replace(score, part=metric.part) for score in function(study)]

    return measure
