"""When things begin: a point process in continuous time; knows seconds, never what begins."""

from __future__ import annotations

from generators.arrivals.arrivals import Arrivals, Path

__all__ = ["Arrivals", "Path"]
