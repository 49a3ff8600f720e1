"""Check a policy's numbers."""

from __future__ import annotations

import math

from panda_gym.errors import PolicyError


def at_least(name: str, value: float, low: float) -> None:
    """PolicyError unless `value` is a finite number, not a boolean, of at least `low`."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < low:
        raise PolicyError(f"{name} of at least {low:g}", repr(value), f"pass for example {name}=1")


def positive(name: str, value: float) -> None:
    """PolicyError unless `value` is a finite number above 0."""
    at_least(name, value, 0.0)
    if value == 0:
        raise PolicyError(f"{name} above 0", repr(value), f"pass for example {name}=1")
