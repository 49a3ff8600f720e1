"""Draw grids as frames, uint8[H, W, 3].

Every site is a disc of a map (see `cartogram`); its area grows with the site's cores. The grey
disc inside is the share of the cores in anybody's use, the coloured one the share that the
broker's jobs use, and its colour says how long the site's queue is. Lines are inputs on their
way. The curves are those of the episode so far, from its log, so a frame does not depend on
which frames were drawn before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from panda_gym.environments.placement.rendering.cartogram import cartogram
from panda_gym.environments.placement.rendering.palette import (
    INK,
    PRESSURE_FULL,
    pressure,
    rgb,
    shade,
)
from panda_gym.episode_log.occupancy import counts, spans

if TYPE_CHECKING:
    from panda_gym.simulator import EpisodeLog, Simulator
    from panda_gym.simulator.snapshot import Snapshot
    from panda_gym.sites import Platform

Array = np.ndarray

WIDTH, HEIGHT = 960, 600
DPI: Final = 100
MAP: Final = (14.0, 42.0, 660.0, 520.0)
"""Left, bottom, width, height of the map, px."""
CURVES: Final = (("running", 402.0), ("waiting", 222.0), ("staging", 42.0))
"""The panels of curves and the lower edge of each, px."""
PANEL: Final = (692.0, 254.0, 140.0)
"""Left edge, width and height of a panel, px."""
POINTS: Final = 200
"""Points of a curve."""
MOST_FLOWS: Final = 400
BOW: Final = np.array([0.0, 0.06, 0.105, 0.13, 0.14, 0.13, 0.105, 0.06, 0.0])
"""How far a flow's line bends to its left along its way, in lengths."""


class Painter:
    """Draws the grids of one platform; what never changes is drawn once."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        at, radius = cartogram(platform.region, platform.cores, MAP[2], MAP[3])
        self.at, self.radius = at + np.array(MAP[:2]), radius
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=INK["page"])
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
        self.axes.axis("off")
        self._labels()
        self._still()
        self._moving()
        self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(self.figure.bbox)

    def paint(self, simulator: Simulator, e: int) -> Array:
        """Grid e as it is now, uint8[HEIGHT, WIDTH, 3]."""
        now, log = simulator.snapshot(e), simulator.log(e)
        self._draw_sites(now)
        self._draw_flows(log)
        self._draw_curves(log, max(now.last_arrival_s, log.now_s))
        self._draw_words(now)
        self.canvas.restore_region(self.background)  # type: ignore[attr-defined]
        for artist in self.moving:
            self.axes.draw_artist(artist)
        frame = np.asarray(self.canvas.buffer_rgba())[:, :, :3].copy()
        self._put_labels(frame)
        return frame

    def _labels(self) -> None:
        """The countries' codes as pixels to be laid over every frame: text is slow to draw."""
        white: dict[str, Any] = {"color": "white", "fontsize": 6.5, "ha": "center", "va": "center"}
        named = zip(self.at, self.platform.region, self.radius, strict=True)
        words = [self.axes.text(x, y, code, **white) for (x, y), code, r in named if r > 11.0]
        self.figure.set_facecolor("black")
        self.canvas.draw()
        cover = np.asarray(self.canvas.buffer_rgba())[:, :, 0].reshape(-1) / 255.0
        self.labelled = np.flatnonzero(cover)
        self.cover = 0.9 * cover[self.labelled, None]
        self.figure.set_facecolor(INK["page"])
        for word in words:
            word.remove()

    def _put_labels(self, frame: Array) -> None:
        pixels = frame.reshape(-1, 3)
        under = pixels[self.labelled]
        ink = 255.0 * rgb(INK["label"])
        pixels[self.labelled] = np.rint(under + self.cover * (ink - under)).astype(np.uint8)

    def _discs(self, scale: Array | float, **style: Any) -> EllipseCollection:
        """Discs at the sites' places, a fraction of their size."""
        size = 2.0 * self.radius * np.broadcast_to(scale, self.radius.shape)
        discs = EllipseCollection(
            size, size, np.zeros(len(size)), units="xy", offsets=self.at,
            offset_transform=self.axes.transData, **style,
        )  # fmt: skip
        self.axes.add_collection(discs)
        return discs

    def _still(self) -> None:
        """What is the same in every frame: empty discs, panels, legend."""
        self._discs(1.0, facecolors=INK["disc"], edgecolors=INK["edge"], linewidths=0.7, zorder=1)
        left, width, height = PANEL
        for name, low in CURVES:
            box = (left - 6, low - 4), width + 12, height + 26
            panel = self.axes.add_patch(_rectangle(*box))
            panel.set_zorder(0)
            self._write(left, low + height + 6, LABELS[name], INK[name], 9)
        self._legend()

    def _legend(self) -> None:
        low = 18.0
        self._write(14, low - 4, "disc: cores     queue: none", INK["mute"], 7.5)
        for k, colour in enumerate(shade(np.linspace(0.0, 1.0, 40))):
            ends = [146 + 2 * k, 148.2 + 2 * k]
            self.axes.add_line(Line2D(ends, [low, low], color=colour, linewidth=6))
        full = f"{PRESSURE_FULL:g} cores requested per core"
        self._write(234, low - 4, full, INK["mute"], 7.5)
        words = (("competing load", "competing"), ("input on its way", "flow"), ("down", "down"))
        for k, (word, ink) in enumerate(words):
            x = 410.0 + 110.0 * k
            self.axes.add_line(Line2D([x, x + 12], [low, low], color=INK[ink], linewidth=5))
            self._write(x + 18, low - 4, word, INK["mute"], 7.5)

    def _write(self, x: float, y: float, words: str, colour: str, size: float, **how: Any) -> Any:
        return self.axes.text(x, y, words, color=colour, fontsize=size, **how)

    def _moving(self) -> None:
        """What changes from frame to frame, in the order in which it is drawn."""
        style = {"animated": True, "linewidths": 0.0}
        self.others = self._discs(0.0, facecolors=INK["competing"], **style)
        self.used = self._discs(0.0, **style)
        self.flows = LineCollection([], colors=INK["flow"], animated=True, capstyle="round")
        self.axes.add_collection(self.flows)
        self.down = self._discs(
            0.0, facecolors="none", edgecolors=INK["down"], linewidths=2.0, animated=True
        )
        self.lines = {
            name: self.axes.add_line(Line2D([], [], color=INK[name], linewidth=1.6, animated=True))
            for name, _ in CURVES
        }
        self.areas = {
            name: PolyCollection([], facecolors=INK[name], alpha=0.16, animated=True)
            for name, _ in CURVES
        }
        for area in self.areas.values():
            self.axes.add_collection(area)
        right = PANEL[0] + PANEL[1]
        self.values = {
            name: self._write(
                right, low + PANEL[2] + 6, "", INK["text"], 9, ha="right", animated=True
            )
            for name, low in CURVES
        }
        self.head = self._write(16, HEIGHT - 24, "", INK["text"], 11, animated=True)
        curves = *self.areas.values(), *self.lines.values(), *self.values.values()
        self.moving = [self.others, self.used, self.flows, self.down, *curves, self.head]

    def _draw_sites(self, now: Snapshot) -> None:
        cores = self.platform.cores
        ours, theirs = now.used_cores / cores, now.competing_cores / cores
        _scale(self.others, self.radius, np.sqrt(np.clip(ours + theirs, 0.0, 1.0)))
        _scale(self.used, self.radius, np.sqrt(np.clip(ours, 0.0, 1.0)))
        self.used.set_facecolor(list(map(tuple, shade(pressure(now.committed_cores, cores)))))
        _scale(self.down, self.radius, now.down.astype(np.float64))

    def _draw_flows(self, log: EpisodeLog) -> None:
        """A line for each input on its way from another site."""
        source = log.source
        entered, left = spans(log)["staging"]
        moving = (entered <= log.now_s) & np.isnan(left) & (source >= 0)
        rows = np.flatnonzero(moving)[-MOST_FLOWS:]
        pairs, size = np.unique(
            np.stack([source[rows], log.site[rows]], axis=1), axis=0, return_counts=True
        )
        self.flows.set_segments(list(bows(self.at[pairs[:, 0]], self.at[pairs[:, 1]])))
        self.flows.set_linewidth((0.6 + 0.7 * np.log2(size)).tolist())
        self.flows.set_alpha(0.55 if len(rows) < MOST_FLOWS // 4 else 0.3)

    def _draw_curves(self, log: EpisodeLog, span_s: float) -> None:
        times = np.linspace(0.0, log.now_s, POINTS)
        found = counts(log, times)
        left, width, height = PANEL
        for name, low in CURVES:
            values = found[name]
            top = max(float(values.max()), 1.0)
            x = left + width * times / max(span_s, 1e-9)
            y = low + height * 0.96 * values / top
            self.lines[name].set_data(x, y)
            shape = np.stack([np.r_[x, x[::-1]], np.r_[y, np.full(len(x), low)]], axis=1)
            self.areas[name].set_verts([shape])
            self.values[name].set_text(f"{values[-1]:,.0f}  (most {top:,.0f})")

    def _draw_words(self, now: Snapshot) -> None:
        total = float(self.platform.cores.sum())
        self.head.set_text(
            f"{self.platform.name}   {clock(now.clock_s)}   job {now.next_job:,} of "
            f"{now.jobs:,}   cores: {now.used_cores.sum() / total:.0%} used by jobs, "
            f"{now.competing_cores.sum() / total:.0%} competing, "
            f"{np.maximum(now.free_cores, 0).sum() / total:.0%} free"
        )


LABELS: Final = {"running": "jobs running", "waiting": "jobs waiting", "staging": "inputs moving"}


def clock(now_s: float) -> str:
    """Seconds as days, hours and minutes."""
    minutes = int(now_s // 60)
    return f"day {minutes // 1440}  {minutes // 60 % 24:02d}:{minutes % 60:02d}"


def bows(start: Array, stop: Array) -> Array:
    """Bent lines from each start to its stop, float64[n, len(BOW), 2]."""
    along = np.linspace(0.0, 1.0, len(BOW))[None, :, None]
    way = (stop - start)[:, None, :]
    left = np.stack([-way[:, :, 1], way[:, :, 0]], axis=2)
    return start[:, None, :] + along * way + BOW[None, :, None] * left


def _rectangle(corner: tuple[float, float], width: float, height: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, facecolor=INK["panel"], edgecolor="none")


def _scale(discs: EllipseCollection, radius: Array, scale: Array) -> None:
    size = 2.0 * radius * scale
    discs.set_widths(size)
    discs.set_heights(size)
