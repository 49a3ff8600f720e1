"""Kinds of pipeline tasks: where they run and how they change a model.

The effects are defaults of this project, not measurements: compression trades performance for
size and latency, hardening and debiasing trade it for robustness and fairness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from panda_gym.errors import PipelineError, nearest

METRICS: Final = ("performance", "robustness", "fairness", "size_mb", "latency_ms")
"""Metrics of a model; the first three lie in [0, 1]."""


@dataclass(frozen=True)
class Effect:
    """Effect of a task on a model's metrics: metric = factor x metric + shift."""

    factor: Mapping[str, float] = field(default_factory=dict)
    """Factor by metric, 1 where left out."""
    shift: Mapping[str, float] = field(default_factory=dict)
    """Shift by metric, 0 where left out."""

    def __post_init__(self) -> None:
        for given in (self.factor, self.shift):
            for name, value in given.items():
                if name not in METRICS:
                    raise PipelineError(
                        "a metric of a model", repr(name), nearest(str(name), METRICS)
                    )
                if not abs(float(value)) < float("inf"):
                    raise PipelineError(f"a finite effect on {name}", repr(value), "correct it")


@dataclass(frozen=True)
class Kind:
    """A kind of task."""

    cluster: str
    """Cluster on which it runs by default, `training` or `generic`."""
    seconds: float
    """Median duration on a slot of speed 1, s, where no distribution was fitted."""
    effect: Effect = Effect()
    """Effect on the model."""
    trains: bool = False
    """Whether it trains a new model."""
    gates: bool = False
    """Whether the run ends here if the model's performance is below its gate."""
    deploys: bool = False
    """Whether the run's model replaces the one in service."""


KINDS: Final = {
    "preprocess": Kind("generic", 60.0),
    "train": Kind("training", 1800.0, trains=True),
    "evaluate": Kind("generic", 120.0, gates=True),
    "compress": Kind(
        "training", 600.0, Effect({"size_mb": 0.5, "latency_ms": 0.6}, {"performance": -0.01})
    ),
    "harden": Kind("training", 900.0, Effect(shift={"robustness": 0.1, "performance": -0.01})),
    "debias": Kind("generic", 300.0, Effect(shift={"fairness": 0.1, "performance": -0.005})),
    "deploy": Kind("generic", 30.0, deploys=True),
}
"""Kinds by name."""


def kind(name: str) -> Kind:
    """Return a kind by name; PipelineError names the nearest if it is unknown."""
    if name not in KINDS:
        raise PipelineError("a kind of task", repr(name), nearest(str(name), KINDS))
    return KINDS[name]
