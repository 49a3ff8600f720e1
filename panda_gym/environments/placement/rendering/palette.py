"""Colours of frames and replays."""

from __future__ import annotations

from typing import Final

import numpy as np

Array = np.ndarray

INK: Final = {
    "page": "#0d1321",
    "panel": "#121a2c",
    "disc": "#24304a",
    "competing": "#5b6b8c",
    "edge": "#3a4868",
    "text": "#dbe4f5",
    "label": "#0a101c",
    "mute": "#8a97b4",
    "flow": "#7cc4ff",
    "waiting": "#f2b134",
    "staging": "#7cc4ff",
    "running": "#37c8a5",
    "down": "#e5484d",
}
"""What each part is drawn in."""

PRESSURE: Final = ("#37c8a5", "#a7cf5a", "#f2b134", "#ee7d3b", "#e5484d")
"""From no queue to one of PRESSURE_FULL cores a core."""
PRESSURE_FULL: Final = 8.0


def pressure(promised: Array, cores: Array) -> Array:
    """Queue of a site on a scale of 0 to 1: ln(1 + cores asked for / cores), float64[S]."""
    ratio = np.asarray(promised, dtype=np.float64) / np.maximum(cores, 1)
    return np.minimum(np.log1p(ratio) / np.log1p(PRESSURE_FULL), 1.0)


def rgb(code: str) -> Array:
    """`#rrggbb` as float64[3] in [0, 1]."""
    return np.array([int(code[k : k + 2], 16) for k in (1, 3, 5)]) / 255.0


def shade(level: Array) -> Array:
    """Colours of levels in [0, 1] along PRESSURE, float64[n, 3]."""
    stops = np.stack([rgb(code) for code in PRESSURE])
    at = np.linspace(0.0, 1.0, len(stops))
    return np.stack([np.interp(level, at, stops[:, k]) for k in range(3)], axis=1)
