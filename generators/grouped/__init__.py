"""The two-level generator: tables whose rows come in groups in time.

A base generator of the registry models batches (`two_level_model`), light models the rows of a
batch (`rows`) and when they come (`within_group_times`), and a point process when batches begin
(`generators.arrivals`).
"""

from __future__ import annotations

from generators.grouped.generator import Grouped, GroupedConfig

__all__ = ["Grouped", "GroupedConfig"]
