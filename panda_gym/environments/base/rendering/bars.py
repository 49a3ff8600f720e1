"""Render an episode as panels of bars: text, or a frame uint8[H, W, 3]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Array = np.ndarray

WIDTH, HEIGHT, DPI = 960, 600, 100
BAR_CHARACTERS: Final = 30
PAGE, BAR, EMPTY, INK = "#0d1321", "#37c8a5", "#24304a", "#dbe4f5"


@dataclass(frozen=True)
class Panel:
    """Bars of one quantity."""

    title: str
    labels: Sequence[str]
    values: Array
    """Length of each bar, float64[n] >= 0."""
    most: float
    """Value of a full bar."""

    def shares(self) -> Array:
        """Share of a full bar that each fills, float64[n] in [0, 1]."""
        return np.clip(np.asarray(self.values) / max(self.most, 1e-9), 0.0, 1.0)


Describe = Callable[[int], tuple[str, Sequence[Panel]]]
"""From an episode's number to a headline and panels."""


def bar_painter(mode: str, describe: Describe) -> Callable[[int], Any]:
    """Return a function that renders an episode in mode "ansi" or "rgb_array"."""
    if mode == "ansi":
        return lambda e: as_text(*describe(e))
    return lambda e: as_frame(*describe(e))


def as_text(headline: str, panels: Sequence[Panel]) -> str:
    """Return the panels one below the other."""
    lines = [headline]
    for panel in panels:
        lines.append(f"{panel.title}")
        for label, value, share in zip(panel.labels, panel.values, panel.shares(), strict=True):
            bar = "#" * round(float(share) * BAR_CHARACTERS)
            lines.append(f"  {label[:24]:<24} {bar:<{BAR_CHARACTERS}} {value:10.2f}")
    return "\n".join(lines) + "\n"


def as_frame(headline: str, panels: Sequence[Panel]) -> Array:
    """Return the panels side by side as a frame, uint8[HEIGHT, WIDTH, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=PAGE)
    canvas = FigureCanvasAgg(figure)
    figure.text(0.02, 0.95, headline, color=INK, fontsize=11)
    for number, panel in enumerate(panels):
        left = 0.02 + 0.98 * number / len(panels)
        axes = figure.add_axes((left + 0.08, 0.06, 0.98 / len(panels) - 0.11, 0.8))
        _draw(axes, panel)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def _draw(axes: Any, panel: Panel) -> None:
    rows = np.arange(len(panel.labels))
    axes.barh(rows, np.ones(len(rows)), color=EMPTY)
    axes.barh(rows, panel.shares(), color=BAR)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.set_title(panel.title, color=INK, fontsize=9)
    axes.set_yticks(rows, [label[:14] for label in panel.labels], color=INK, fontsize=7)
    axes.set_xticks([])
    axes.set_facecolor(PAGE)
    for label, value, row in zip(panel.labels, panel.values, rows, strict=True):
        if label:
            axes.text(0.98, row, f"{value:.2f}", color=INK, fontsize=7, ha="right", va="center")
