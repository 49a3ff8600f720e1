"""Draw a measure of all policies with its intervals as inline SVG."""

from __future__ import annotations

import math
from html import escape
from typing import Final

from panda_gym.benchmarking import BenchmarkTable, Interval
from panda_gym.benchmarking.measures import MEASURE
from panda_gym.benchmarking.render import number, span

WIDTH, LABEL, ROW, FOOT = 500, 190, 22, 34

STYLE: Final = (
    "svg{--s1:#c2410c;--s2:#1d6fb8;background:#fff;color:#1f2328}"
    "text{fill:currentColor;font:11px system-ui,sans-serif}text.small{font-size:9px}"
    ".line{fill:none;stroke:var(--c);stroke-width:1.5}"
)
"""What the drawing needs where no page lends it a style."""


def figure(table: BenchmarkTable, metric: str, stream: str) -> str:
    """The drawing as a <figure> of the report."""
    title = _title(metric, stream)
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>{drawing(table, metric, stream)}</figure>"
    )


def standalone(table: BenchmarkTable, metric: str, stream: str) -> str:
    """The drawing as a file of its own."""
    return drawing(table, metric, stream, f"<style>{STYLE}</style>") + "\n"


def drawing(table: BenchmarkTable, metric: str, stream: str, style: str = "") -> str:
    """One line a policy, best first: interquartile mean and 95 % interval, on a log axis."""
    found = [(policy, table.interval(policy, metric, stream)) for policy in table.policies]
    found.sort(key=lambda pair: pair[1].value, reverse=MEASURE[metric].better == "high")
    positive = [value for _, i in found for value in (i.low, i.high) if value > 0]
    low, high = (min(positive), max(positive)) if positive else (1.0, 10.0)
    axis = _Axis(low, max(high, low * 1.01))
    lines = [_line(row, policy, at, axis) for row, (policy, at) in enumerate(found)]
    height = ROW * len(found) + FOOT
    foot = "".join(_tick(value, height, axis) for value in axis.ticks())
    title = escape(_title(metric, stream))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" '
        f'viewBox="0 0 {WIDTH} {height}">{style}<title>{title}</title>{"".join(lines)}{foot}</svg>'
    )


def _title(metric: str, stream: str) -> str:
    return f"{metric} ({MEASURE[metric].unit}), {stream}"


class _Axis:
    """A logarithmic axis between the label and the right edge."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = math.log(low), math.log(high)

    def x(self, value: float) -> float:
        share = (math.log(max(value, 1e-300)) - self._low) / (self._high - self._low)
        return LABEL + 8 + min(max(share, 0.0), 1.0) * (WIDTH - LABEL - 24)

    def ticks(self) -> list[float]:
        middle = math.exp((self._low + self._high) / 2)
        return [math.exp(self._low), middle, math.exp(self._high)]


def _line(row: int, policy: str, at: Interval, axis: _Axis) -> str:
    y = row * ROW + ROW / 2
    low, value, high = axis.x(at.low), axis.x(at.value), axis.x(at.high)
    return (
        f'<g style="--c:var(--s{2 if row else 1})">'
        f"<title>{escape(policy)}: {escape(span(at))}</title>"
        f'<text x="{LABEL}" y="{y + 4:.1f}" text-anchor="end">{escape(policy[:30])}</text>'
        f'<line class="line" x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}"/>'
        f'<circle cx="{value:.1f}" cy="{y}" r="4" fill="var(--c)"/></g>'
    )


def _tick(value: float, height: int, axis: _Axis) -> str:
    return (
        f'<text class="small" x="{axis.x(value):.1f}" y="{height - 8}" text-anchor="middle">'
        f"{escape(number(value))}</text>"
    )
