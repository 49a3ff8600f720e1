"""Drift: how a deployed model loses performance, p(t) = p0 (1 - d(t)) with d in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from panda_gym.errors import PipelineError, nearest

NONE, LINEAR, EXPONENTIAL, CHANGES, WALK = range(5)
CODES: Final = {
    "none": NONE,
    "linear": LINEAR,
    "exponential": EXPONENTIAL,
    "change_points": CHANGES,
    "random_walk": WALK,
}
"""Code of every kind of drift by name."""


@dataclass(frozen=True)
class Drift:
    """Share d(t) of the performance that a model has lost t s after its deployment."""

    kind: str = "none"
    """`linear`: rate t. `exponential`: 1 - exp(-rate t). `change_points`: steps of `size` at the
    points of a Poisson process of `rate`. `random_walk`: absolute sum of normal steps, one per
    `step_s`, of deviation size x sqrt(step_s), so that `size` is the deviation after 1 s."""
    rate: float = 0.0
    """Rate, 1/s."""
    size: float = 0.0
    """Loss at a change point, or deviation of the walk after 1 s."""
    step_s: float = 3600.0
    """Time between steps of a walk, s."""

    def __post_init__(self) -> None:
        if self.kind not in CODES:
            raise PipelineError("a kind of drift", repr(self.kind), nearest(str(self.kind), CODES))
        for field in NEEDS[self.kind]:
            value = getattr(self, field)
            if not 0.0 < value < float("inf"):
                raise PipelineError(
                    f"{field} of {self.kind} drift above 0", repr(value), "correct it"
                )


NEEDS: Final = {
    "none": (),
    "linear": ("rate",),
    "exponential": ("rate",),
    "change_points": ("rate", "size"),
    "random_walk": ("size", "step_s"),
}
"""Fields that must be above 0, by kind of drift."""
