"""Grids as text and as frames; knows the state of a batch, never changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.rendering.text import table

__all__ = ["drawing", "table"]


def drawing(mode: str, batch: PlacementBatch) -> Callable[[int], Any]:
    """What draws grid e of the batch in a render mode: "ansi" or "rgb_array"."""
    if mode == "ansi":
        return lambda e: table(batch, e)
    from panda_gym.environments.placement.rendering.frame import Painter  # loads matplotlib

    painter = Painter(batch.platform)
    return lambda e: painter.paint(batch.simulator, e)
