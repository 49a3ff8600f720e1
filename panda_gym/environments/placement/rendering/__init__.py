"""Render grids as text and as frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.rendering.text import table

__all__ = ["painter", "table"]


def painter(mode: str, batch: PlacementBatch) -> Callable[[int], Any]:
    """Return a function that renders grid e of the batch in mode "ansi" or "rgb_array"."""
    if mode == "ansi":
        return lambda e: table(batch, e)
    from panda_gym.environments.placement.rendering.frame import Painter  # loads matplotlib

    canvas = Painter(batch.platform)
    return lambda e: canvas.paint(batch.simulator, e)
