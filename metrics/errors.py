"""Errors that metrics raise for bad input.

MetricError (ValueError)
└── NotApplicable     the tables have no column of the kind that a metric looks at
"""

from __future__ import annotations

from typing import Any

__all__ = ["MetricError", "NotApplicable", "check_seed"]


class MetricError(ValueError):
    """A table, policy or certificate that cannot be used: needed, came, what to do."""

    def __init__(self, needed: str, came: str, do: str) -> None:
        super().__init__(f"needed {needed}; got {came}; {do}")
        self.needed, self.came, self.do = needed, came, do


class NotApplicable(MetricError):
    """A metric that has nothing to measure on tables of this kind; not a failure."""


def check_seed(seed: Any) -> int:
    """Return `seed` as an int; refuse floats, strings, booleans and negatives."""
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or int(seed) < 0:
        raise MetricError("a non-negative integer seed", f"{seed!r}", "pass for example seed=0")
    return int(seed)
