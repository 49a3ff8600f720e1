"""A point process of arrival times in continuous time: calendar, noisy rate, self-excitation."""

from __future__ import annotations

from generators.arrivals.arrivals import Arrivals, Path

__all__ = ["Arrivals", "Path"]
