"""A table whose rows come in groups in time; knows a group column and a time, never grids.

One generator of the registry models the groups (`tasks`), a light model the rows of a group
(`rows`) and when they come (`pattern`), and a point process when groups begin
(`generators.arrivals`).
"""

from __future__ import annotations

from generators.grouped.generator import Grouped, GroupedConfig

__all__ = ["Grouped", "GroupedConfig"]
