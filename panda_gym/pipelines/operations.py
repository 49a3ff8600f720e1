"""Operations: models in service, the pipelines that train them, and the clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from panda_gym.distributions import Arrivals, Assets, Distribution
from panda_gym.errors import PipelineError, nearest
from panda_gym.pipelines.drift import Drift
from panda_gym.pipelines.kinds import METRICS
from panda_gym.pipelines.pipeline import Pipeline
from panda_gym.pipelines.triggers import Triggers

DISCIPLINES: Final = ("fifo", "shortest_first", "earliest_deadline", "fair_share", "improvement")
"""Queueing disciplines of the clusters; a code is a position in this tuple."""

BASE: Final = {
    "performance": 0.9, "robustness": 0.6, "fairness": 0.8, "size_mb": 100.0, "latency_ms": 20.0,
}  # fmt: skip
"""Metrics of a newly trained model, unless a model says otherwise (our defaults)."""


@dataclass(frozen=True)
class Cluster:
    """Cluster of identical slots with a data store.

    Raises PipelineError if a field is out of range.
    """

    name: str
    """Name; by default tasks run on `training` and `generic`."""
    slots: int
    """Number of tasks that run at once."""
    speed: float = 1.0
    """Speed of a slot; durations are divided by it."""
    read_mbps: float = 100.0
    """Read bandwidth of the data store for one task, MB/s."""
    write_mbps: float = 50.0
    """Write bandwidth for one task, MB/s."""
    latency_s: float = 0.0
    """Latency of each read and each write, s."""
    cost_per_hour: float = 1.0
    """Cost of a slot in use per hour, in units of quality hours."""

    def __post_init__(self) -> None:
        whole = isinstance(self.slots, int) and not isinstance(self.slots, bool)
        if not whole or self.slots < 1:
            raise PipelineError(
                f"at least 1 slot in cluster {self.name!r}", repr(self.slots), "raise slots="
            )
        for name in ("speed", "read_mbps", "write_mbps"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise PipelineError(
                    f"{name} of cluster {self.name!r} above 0",
                    repr(getattr(self, name)),
                    "raise it",
                )
        for name in ("latency_s", "cost_per_hour"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise PipelineError(
                    f"{name} of cluster {self.name!r} >= 0", repr(getattr(self, name)), "correct it"
                )


@dataclass(frozen=True)
class Model:
    """Model in service: how it drifts, and which triggers request its next run.

    Raises PipelineError if a field is out of range or a trigger can never fire.
    """

    name: str
    """Name in reports."""
    pipeline: str
    """Name of the pipeline that trains it."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Metrics after training, over BASE."""
    spread: float = 0.0
    """Standard deviation of the performance after training."""
    drift: Drift = field(default_factory=Drift)
    """Drift of its performance."""
    triggers: Triggers = field(default_factory=lambda: Triggers(manual=True))
    """Triggers that request a run."""
    gate: float = 0.0
    """Performance below which a new model is not deployed."""
    weight: float = 1.0
    """Worth of an hour at performance 1."""
    owner: str = "all"
    """Owner whose fair share its runs use."""
    deadline_s: float = 86_400.0
    """Time from a request until its deadline, s."""
    data_rate: float = 0.0
    """New data, bytes/s."""
    data_need: float = 0.0
    """New data that a retrain needs to regain all performance, bytes; less regains a fraction."""
    age_s: float = 0.0
    """Age at the start, s."""
    retry_s: float = 3600.0
    """Least time from a run that did not deploy to the next request, s."""

    def __post_init__(self) -> None:
        for name, value in self.metrics.items():
            if name not in METRICS:
                raise PipelineError("a metric of a model", repr(name), nearest(str(name), METRICS))
            if not 0.0 <= float(value) < float("inf"):
                raise PipelineError(
                    f"{name} of model {self.name!r} >= 0", repr(value), "correct it"
                )
        if not 0.0 < self.base["performance"] <= 1.0:
            came = repr(self.base["performance"])
            raise PipelineError(f"performance of {self.name!r} in (0, 1]", came, "correct it")
        for name in ("spread", "gate", "weight", "data_rate", "data_need", "age_s"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                came = repr(getattr(self, name))
                raise PipelineError(f"{name} of model {self.name!r} >= 0", came, "correct it")
        for name in ("deadline_s", "retry_s"):
            if not 0.0 < getattr(self, name) < float("inf"):
                came = repr(getattr(self, name))
                raise PipelineError(f"{name} of model {self.name!r} above 0", came, "correct it")
        self.triggers.check(self.drift, self.base["performance"], self.data_rate, self.data_need)

    @property
    def base(self) -> dict[str, float]:
        """Metrics after training."""
        return {**BASE, **self.metrics}


@dataclass(frozen=True)
class Operations:
    """Input of a simulation, except its seed and horizon."""

    pipelines: Sequence[Pipeline]
    """Pipelines that train the models."""
    models: Sequence[Model]
    """Models in service."""
    clusters: Sequence[Cluster]
    """Clusters on which tasks run."""
    arrivals: Arrivals | None = None
    """Requests from outside, each of a model drawn in proportion to its weight; None: none."""
    arrivals_from_s: float = 0.0
    """Time of the week (s since Monday 00:00 UTC) at the start."""
    assets: Distribution | Assets | None = None
    """Bytes (or rows, columns, bytes) of a run's data; None: 1 GB."""
    discipline: str = "fifo"
    """One of DISCIPLINES."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Share of every owner under the discipline `fair_share`, 1 where left out."""

    def __post_init__(self) -> None:
        for name in ("pipelines", "models", "clusters"):
            given = tuple(getattr(self, name))
            object.__setattr__(self, name, given)
            if not given:
                raise PipelineError(f"at least one of {name}", "none", "add one")
            names = [one.name for one in given]
            if len(set(names)) < len(names):
                twice = next(n for n in names if names.count(n) > 1)
                raise PipelineError(f"names of {name} that differ", repr(twice), "rename one")
        if self.discipline not in DISCIPLINES:
            close = nearest(str(self.discipline), DISCIPLINES)
            raise PipelineError("a discipline", repr(self.discipline), close)
        for owner, share in self.shares.items():
            if not 0.0 < share < float("inf"):
                raise PipelineError(f"a share of {owner!r} above 0", repr(share), "raise it")
        self._check_names()

    def _check_names(self) -> None:
        known = [cluster.name for cluster in self.clusters]
        for pipeline in self.pipelines:
            for task in pipeline.tasks:
                place = task.cluster or task.of.cluster
                if place not in known:
                    where = f"a cluster for task {task.label!r} of pipeline {pipeline.name!r}"
                    raise PipelineError(where, repr(place), nearest(place, known))
        names = [pipeline.name for pipeline in self.pipelines]
        for model in self.models:
            if model.pipeline not in names:
                raise PipelineError(
                    f"the pipeline of model {model.name!r}",
                    repr(model.pipeline),
                    nearest(str(model.pipeline), names),
                )

    def replace(self, **changes: Any) -> Operations:
        """Return a copy with other fields."""
        from dataclasses import replace

        return replace(self, **changes)
