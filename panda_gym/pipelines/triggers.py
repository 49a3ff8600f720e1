"""Triggers: the conditions that request a new run of a model, and the Page-Hinkley detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from panda_gym.errors import PipelineError
from panda_gym.pipelines.drift import Drift

REASONS: Final = (
    "manual", "period", "staleness", "improvement", "new_data", "page_hinkley", "agent",
)  # fmt: skip
"""Reasons of a run; a code is a position in this tuple."""
MANUAL, PERIOD, STALENESS, IMPROVEMENT, NEW_DATA, PAGE_HINKLEY, AGENT = range(len(REASONS))


@dataclass(frozen=True)
class Triggers:
    """Triggers of a model; each one that is set requests a run unless one is active.

    Raises PipelineError if a threshold is out of range or `manual` contradicts another trigger.
    """

    period_s: float | None = None
    """Period of requests, s."""
    staleness: float | None = None
    """Threshold of the staleness 1 - p / p0."""
    improvement: float | None = None
    """Threshold of the potential improvement: expected performance of a new model minus p."""
    new_data: float | None = None
    """Threshold of the bytes that arrived since the data of the model in service."""
    page_hinkley: float | None = None
    """Threshold (lambda) of the Page-Hinkley statistic of the observed performance."""
    delta: float = 0.005
    """Loss that the Page-Hinkley statistic tolerates."""
    monitor_s: float | None = None
    """Time between observations of the performance, s; None: crossings are observed exactly."""
    noise: float = 0.0
    """Standard deviation of an observation."""
    manual: bool = False
    """Only requests from outside (the arrivals) start runs."""

    def __post_init__(self) -> None:
        positive = ("period_s", "staleness", "improvement", "new_data", "page_hinkley", "monitor_s")
        for field in positive:
            value = getattr(self, field)
            if value is not None and not 0.0 < value < float("inf"):
                raise PipelineError(f"trigger {field} above 0", repr(value), "correct or drop it")
        for field in ("noise", "delta"):
            if not 0.0 <= getattr(self, field) < float("inf"):
                raise PipelineError(f"{field} >= 0", repr(getattr(self, field)), "correct it")
        for field in ("staleness", "improvement"):
            value = getattr(self, field)
            if value is not None and value >= 1.0:
                raise PipelineError(f"trigger {field} below 1", repr(value), "no model loses more")
        if self.manual and self.automatic:
            raise PipelineError(
                "triggers that do not contradict each other",
                f"manual and {', '.join(self.automatic)}",
                "drop manual=True or the others",
            )

    @property
    def automatic(self) -> tuple[str, ...]:
        """Names of the triggers that are set."""
        names = ("period_s", "staleness", "improvement", "new_data", "page_hinkley")
        return tuple(name for name in names if getattr(self, name) is not None)

    def check(self, drift: Drift, performance: float, data_rate: float, data_need: float) -> None:
        """Raise PipelineError if a trigger can never fire, or lacks the observations it needs."""
        watching = [n for n in ("staleness", "improvement", "page_hinkley") if getattr(self, n)]
        if watching and drift.kind == "none" and self.noise == 0.0:
            raise PipelineError(
                f"a drift for trigger {watching[0]} to see", "none", "set a drift, or drop it"
            )
        blind = self.monitor_s is None
        if blind and (self.page_hinkley is not None or self.noise > 0.0):
            raise PipelineError("monitor_s for a detector", "none", "pass monitor_s=3600.0")
        if blind and self.improvement is not None and data_need > 0.0:
            raise PipelineError(
                "monitor_s where the improvement depends on new data", "none", "pass monitor_s"
            )
        if self.improvement is not None and self.improvement >= performance:
            raise PipelineError(
                f"trigger improvement below the performance {performance:g}",
                f"{self.improvement:g}",
                "lower it",
            )
        if self.new_data is not None and data_rate <= 0.0:
            raise PipelineError("new data for trigger new_data", "a data rate of 0", "raise it")
        if self.new_data is not None and self.new_data < data_need:
            raise PipelineError(
                f"a new_data trigger of at least the {data_need:g} bytes that a retrain needs",
                f"{self.new_data:g}",
                "raise it, or lower data_need",
            )


def page_hinkley_step(
    n: float, mean: float, total: float, least: float, x: float, delta: float
) -> tuple[float, float, float, float]:
    """Update the Page-Hinkley detector (Page 1954, for a decrease) with an observation x.

    The state is the count, the running mean, the sum of (mean - x - delta), and the least sum so
    far. The statistic is sum minus least; it grows when x falls below its mean by more than delta.
    """
    n += 1.0
    mean += (x - mean) / n
    total += mean - x - delta
    return n, mean, total, min(least, total)


class PageHinkley:
    """Page-Hinkley detector of a decrease, updated one observation at a time."""

    def __init__(self, threshold: float, delta: float = 0.005) -> None:
        Triggers(page_hinkley=threshold, delta=delta)
        self.threshold, self.delta = threshold, delta
        self.state = (0.0, 0.0, 0.0, 0.0)

    @property
    def statistic(self) -> float:
        """Cumulative fall of the observations below their mean."""
        return self.state[2] - self.state[3]

    def observe(self, x: float) -> bool:
        """Update the detector with an observation; return whether it detects drift."""
        self.state = page_hinkley_step(*self.state, x, self.delta)
        return self.statistic > self.threshold
