"""Fleets: operations of many similar models described by a few settings.

Experiments vary these settings, and the environment opens operations from them. All numbers are
round defaults of this project; none is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from panda_gym.distributions import Arrivals, Lognormal, load_distribution
from panda_gym.distributions.arrivals import poisson
from panda_gym.errors import PipelineError, nearest
from panda_gym.pipelines.drift import CODES, Drift
from panda_gym.pipelines.operations import Cluster, Model, Operations
from panda_gym.pipelines.pipeline import Pipeline
from panda_gym.pipelines.triggers import Triggers
from panda_gym.units import BYTES_PER_GB, SECONDS_PER_DAY, SECONDS_PER_HOUR

PIPELINES: Final = {
    "short": ("preprocess", "train", "deploy"),
    "standard": ("preprocess", "train", "evaluate", "deploy"),
    "hardened": ("preprocess", "train", "evaluate", "compress", "harden", "deploy"),
}
"""Chains of task kinds by name."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Settings of a fleet; `open` returns its operations.

    Raises PipelineError if a setting is out of range or unknown.
    """

    models: int = 20
    """Number of models in service."""
    pipeline: str = "standard"
    """One of PIPELINES."""
    arrivals_per_day: float = 0.0
    """Rate of Poisson requests from outside, 1/day; 0: none."""
    arrivals: str | Path | Arrivals | None = None
    """Arrival process of requests from outside, or its file; instead of `arrivals_per_day`."""
    drift: str = "linear"
    """Kind of drift, see `drift.Drift`."""
    drift_per_day: float = 0.02
    """Mean rate of drift per day: loss (linear), rate (exponential), change points, deviation."""
    drift_spread: float = 0.5
    """Sigma of the lognormal factor by which the drift rates of models differ."""
    step: float = 0.1
    """Loss at a change point."""
    staleness: float | None = 0.1
    """Trigger threshold: share of the performance lost; None: none."""
    improvement: float | None = None
    """Trigger threshold: potential improvement; None: none."""
    period_days: float | None = None
    """Trigger period, days; None: none."""
    new_data_gb: float | None = None
    """Trigger threshold: new data, GB; None: none."""
    page_hinkley: float | None = None
    """Trigger threshold of the Page-Hinkley statistic; None: none."""
    monitor_hours: float | None = None
    """Time between observations, hours; None: crossings are observed exactly."""
    noise: float = 0.0
    """Standard deviation of an observation."""
    data_gb_per_day: float = 5.0
    """New data of a model, GB/day."""
    data_need_gb: float = 0.0
    """New data that a retrain needs to regain all performance, GB."""
    asset_gb: float = 5.0
    """Median size of a run's data, GB; lognormal, sigma 1."""
    train_hours: float = 2.0
    """Median training time on a slot of speed 1, hours; lognormal, sigma 0.5."""
    train_spread: float = 0.0
    """Sigma of the lognormal factor by which the training times of models differ."""
    training_slots: int = 2
    """Slots of the training cluster."""
    generic_slots: int = 4
    """Slots of the generic cluster."""
    training_cost: float = 0.5
    """Cost of a training slot in use, per hour."""
    generic_cost: float = 0.05
    """Cost of a generic slot in use, per hour."""
    discipline: str = "fifo"
    """Queueing discipline, see `operations.DISCIPLINES`."""
    owners: int = 2
    """Number of owners, assigned to models in turn."""
    performance: float = 0.9
    """Mean performance after training."""
    spread: float = 0.01
    """Standard deviation of the performance after training."""
    gate: float = 0.0
    """Performance below which a new model is not deployed."""
    weight_spread: float = 0.0
    """Sigma of the lognormal weights of models."""
    age_days: float = 0.0
    """Upper limit of the models' initial ages, days; drawn uniformly."""
    fleet_seed: int = 0
    """Seed of the differences between models."""

    def __post_init__(self) -> None:
        for name in ("models", "training_slots", "generic_slots", "owners"):
            value = getattr(self, name)
            if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
                raise PipelineError(f"{name} as a whole number of at least 1", repr(value), "raise")
        for name in _POSITIVE:
            if not 0.0 < getattr(self, name) < float("inf"):
                raise PipelineError(f"{name} above 0", repr(getattr(self, name)), "raise it")
        for name in _NOT_NEGATIVE:
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise PipelineError(f"{name} >= 0", repr(getattr(self, name)), "correct it")
        if self.pipeline not in PIPELINES:
            close = nearest(str(self.pipeline), PIPELINES)
            raise PipelineError("a pipeline of the fleet", repr(self.pipeline), close)
        if self.drift not in CODES:
            raise PipelineError("a kind of drift", repr(self.drift), nearest(self.drift, CODES))

    @classmethod
    def of(cls, **settings: Any) -> Self:
        """Return the fleet of keyword settings; PipelineError names the nearest to a wrong one."""
        check_settings(cls, settings)
        return cls(**settings)

    def but(self, **changes: Any) -> Self:
        """Return a copy with other settings."""
        check_settings(type(self), changes)
        return replace(self, **changes)

    def open(self) -> Operations:
        """Return the operations that the settings describe."""
        rng = np.random.default_rng([self.fleet_seed, 4])
        rate, worth, long = (
            np.exp(sigma * rng.standard_normal(self.models))
            for sigma in (self.drift_spread, self.weight_spread, self.train_spread)
        )
        age = rng.random(self.models) * self.age_days * SECONDS_PER_DAY
        names = [f"{self.pipeline}-{i}" for i in range(self.models)]
        alike = self.train_spread == 0.0
        made = [self._pipeline(self.pipeline, 1.0)] if alike else [
            self._pipeline(name, float(x)) for name, x in zip(names, long, strict=True)
        ]  # fmt: skip
        models = [
            self._model(i, made[0 if alike else i].name, rate[i], worth[i], age[i])
            for i in range(self.models)
        ]
        return Operations(
            made,
            models,
            self.clusters(),
            arrivals=self._arrivals(),
            assets=Lognormal(self.asset_gb * BYTES_PER_GB, 1.0),
            discipline=self.discipline,
        )

    def _model(self, i: int, pipeline: str, rate: float, weight: float, age_s: float) -> Model:
        return Model(
            f"model-{i}",
            pipeline,
            metrics={"performance": self.performance},
            spread=self.spread,
            drift=self._drift(float(rate)),
            triggers=self._triggers(),
            gate=self.gate,
            weight=float(weight),
            owner=f"owner-{i % self.owners}",
            data_rate=self.data_gb_per_day * BYTES_PER_GB / SECONDS_PER_DAY,
            data_need=self.data_need_gb * BYTES_PER_GB,
            age_s=float(age_s),
        )

    def clusters(self) -> list[Cluster]:
        """Return the training and the generic cluster."""
        return [
            Cluster("training", int(self.training_slots), cost_per_hour=self.training_cost),
            Cluster("generic", int(self.generic_slots), cost_per_hour=self.generic_cost),
        ]

    def _pipeline(self, name: str, factor: float) -> Pipeline:
        distribution = Lognormal(self.train_hours * SECONDS_PER_HOUR * factor, 0.5)
        chain = Pipeline.chain(name, *PIPELINES[self.pipeline])
        tasks = [replace(t, duration=distribution) if t.kind == "train" else t for t in chain.tasks]
        return Pipeline(name, tuple(tasks))

    def _drift(self, factor: float) -> Drift:
        rate = self.drift_per_day * factor / SECONDS_PER_DAY
        if self.drift == "none":
            return Drift()
        if self.drift == "random_walk":
            return Drift("random_walk", size=self.drift_per_day * factor / SECONDS_PER_DAY**0.5)
        return Drift(self.drift, rate=rate, size=self.step)

    def _triggers(self) -> Triggers:
        scaled = {
            "period_s": (self.period_days, SECONDS_PER_DAY),
            "new_data": (self.new_data_gb, BYTES_PER_GB),
            "monitor_s": (self.monitor_hours, SECONDS_PER_HOUR),
        }
        found = {key: None if v is None else v * unit for key, (v, unit) in scaled.items()}
        for name in ("staleness", "improvement", "page_hinkley"):
            found[name] = getattr(self, name)
        manual = all(v is None for key, v in found.items() if key != "monitor_s")
        return Triggers(**found, noise=self.noise, manual=manual)  # type: ignore[arg-type]

    def _arrivals(self) -> Arrivals | None:
        if self.arrivals is None:
            rate = self.arrivals_per_day
            return poisson(SECONDS_PER_DAY / rate) if rate > 0.0 else None
        arrivals = self.arrivals
        if not isinstance(arrivals, Arrivals):
            arrivals = load_distribution(arrivals)
        if not isinstance(arrivals, Arrivals):
            came = type(arrivals).__name__
            raise PipelineError("a distribution of arrivals", came, "fit one to arrival times")
        return arrivals


def check_settings(kind: type, settings: Mapping[str, Any]) -> None:
    """Raise PipelineError that names the setting nearest to an unknown one."""
    known = [field.name for field in fields(kind)]
    for key in settings:
        if key not in known:
            raise PipelineError("a setting of the fleet", repr(key), nearest(str(key), known))


_POSITIVE: Final = ("drift_per_day", "step", "asset_gb", "train_hours")
_NOT_NEGATIVE: Final = (
    "arrivals_per_day", "drift_spread", "noise", "data_gb_per_day", "data_need_gb", "train_spread",
    "training_cost", "generic_cost", "spread", "gate", "weight_spread", "age_days",
)  # fmt: skip
