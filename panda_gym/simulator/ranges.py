"""Range checks of numeric settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from panda_gym.errors import SettingError


def check_ranges(table: Any, of: str, limits: Mapping[str, tuple[float, float]]) -> None:
    """SettingError unless every named field of `table` is a number within [low, high]."""
    for name, (low, high) in limits.items():
        value = getattr(table, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError(f"a number for {of} {name}", repr(value), "pass a float")
        if not low <= value <= high:
            raise SettingError(f"{of} {name} in [{low:g}, {high:g}]", f"{value:g}", "change it")
