"""Draw the front of policies over ln slowdown and work-weighted turnaround as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from panda_gym.benchmarking import BenchmarkTable
from panda_gym.benchmarking.front import Point, front
from panda_gym.benchmarking.render import number, span
from panda_gym.html import table as html_table
from panda_gym.units import SECONDS_PER_HOUR
from panda_gym.visualization.report.intervals import STYLE

WIDTH, HEIGHT, LEFT, FOOT, TOP = 560, 380, 56, 64, 12
KEY: Final = 230
"""Width of the list of policies beside a drawing that stands alone."""
EDGE: Final = 10
"""Free space between the outermost points and the axes, in units of the drawing."""

MARKS: Final = {
    "member": ("on the front: no policy is better in both", "var(--s1)", "var(--s1)"),
    "dominated": ("dominated: another policy is better in both", "var(--s2)", "none"),
    "oracle": ("oracle: sees the future, is no policy", "var(--s0)", "none"),
}
"""Kind of a point: what it means, colour of its line and of its inside."""


def front_section(table: BenchmarkTable, stream: str) -> str:
    """Return figure and table of the front as HTML; empty if the table lacks the measures."""
    points = front(table, stream)
    if not points:
        return ""
    about = (
        "Left: less slowdown, every job counts alike. Down: less turnaround, a job counts by its "
        "work. Thin lines are 95 % intervals over seeds. A policy off the front is worse than some "
        "other policy for small and for large jobs."
    )
    return (
        f"<figure><figcaption>{escape(_title(stream))}</figcaption>{front_drawing(table, stream)}"
        f"</figure><p>{about}</p>{_table(points, stream)}"
    )


def standalone_front(table: BenchmarkTable, stream: str) -> str:
    """Return the drawing as a file of its own, with the names of the policies."""
    style = f"<style>{STYLE}svg{{--s0:#5b6b7b}}</style>"
    return front_drawing(table, stream, style, named=True) + "\n"


def front_drawing(
    table: BenchmarkTable, stream: str, style: str = "", *, named: bool = False
) -> str:
    """Return the drawing: a numbered mark a policy, the front as a stepped line.

    named: list the policies by number beside it.
    """
    points = front(table, stream)
    plane = _Plane(points)
    title, width = escape(_title(stream)), WIDTH + KEY * named
    body = "".join(
        [
            plane.axes(),
            plane.step([point for point in points if point.member]),
            *(plane.mark(k + 1, point) for k, point in enumerate(points)),
            _legend(),
            _names(points) if named else "",
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" '
        f'viewBox="0 0 {width} {HEIGHT}">{style}<title>{title}</title>'
        f"<desc>{escape(_described(points))}</desc>{body}</svg>"
    )


class _Plane:
    """Two axes: ln slowdown, and work-weighted turnaround in hours on a logarithmic scale."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.points, self.labels = points, list[tuple[float, float]]()
        self.across = _spread([v for p in points for v in (p.x.low, p.x.high)])
        self.up = _spread([math.log(v) for p in points for v in (p.y.low, p.y.high) if v > 0.0])

    def x(self, value: float) -> float:
        share = (value - self.across[0]) / (self.across[1] - self.across[0])
        return LEFT + EDGE + share * (WIDTH - LEFT - 2 * EDGE - 8)

    def y(self, value: float) -> float:
        share = (math.log(max(value, 1e-300)) - self.up[0]) / (self.up[1] - self.up[0])
        return HEIGHT - FOOT - EDGE - min(max(share, 0.0), 1.0) * (HEIGHT - FOOT - TOP - 2 * EDGE)

    def axes(self) -> str:
        """Return both axes with three ticks each and their names."""
        bottom, parts = HEIGHT - FOOT, []
        for share in (0.0, 0.5, 1.0):
            at = self.across[0] + share * (self.across[1] - self.across[0])
            parts.append(_text(self.x(at), bottom + 14, f"{at:.2f}", "middle"))
            hours = math.exp(self.up[0] + share * (self.up[1] - self.up[0]))
            said = number(hours / SECONDS_PER_HOUR)
            parts.append(_text(LEFT - 5, self.y(hours) + 4, said, "end"))
        parts.append(
            _text((LEFT + WIDTH) / 2, bottom + 30, "mean ln(bounded slowdown) →", "middle")
        )
        middle = (TOP + bottom) / 2
        parts.append(
            f'<text text-anchor="middle" transform="translate(13,{middle:.0f}) rotate(-90)">'
            "work-weighted turnaround, h →</text>"
        )
        lines = f"M{LEFT} {TOP}V{bottom}H{WIDTH - 8}"
        return (
            f'<path d="{lines}" fill="none" stroke="currentColor" stroke-opacity=".4"/>'
            + "".join(parts)
        )

    def step(self, members: Sequence[Point]) -> str:
        """Return the border of what the members dominate."""
        if len(members) < 2:
            return ""
        path = f"M{self.x(members[0].x.value):.1f} {self.y(members[0].y.value):.1f}"
        for one in members[1:]:
            path += f"H{self.x(one.x.value):.1f}V{self.y(one.y.value):.1f}"
        return f'<path class="line" style="--c:var(--s1)" stroke-dasharray="4 3" d="{path}"/>'

    def mark(self, at: int, point: Point) -> str:
        """Return mark, intervals and number of a policy."""
        x, y = self.x(point.x.value), self.y(point.y.value)
        meaning, line, inside = MARKS[_kind(point)]
        span_x = f"M{self.x(point.x.low):.1f} {y:.1f}H{self.x(point.x.high):.1f}"
        span_y = f"M{x:.1f} {self.y(point.y.low):.1f}V{self.y(point.y.high):.1f}"
        left, base = self._room(x, y)
        title = f"{at} {point.policy}: {_pair(point)}; {meaning}"
        return (
            f"<g><title>{escape(title)}</title>"
            f'<path d="{span_x}{span_y}" stroke="{line}" stroke-opacity=".45" fill="none"/>'
            f"{_shape(_kind(point), x, y, line, inside)}{_text(left, base, str(at), 'middle')}</g>"
        )

    def _room(self, x: float, y: float) -> tuple[float, float]:
        """Return a place for a number beside a mark, as far from the other marks as there is."""
        taken = [(self.x(p.x.value), self.y(p.y.value)) for p in self.points] + self.labels
        taken.remove((x, y))
        places = [(x + dx, y + dy) for dx, dy in ((11, 4), (-11, 4), (0, -8), (0, 16), (15, -8))]
        gap = [
            min((math.hypot(a - u, b - 4 - v) for u, v in taken), default=99.0) for a, b in places
        ]
        best = next((k for k, free in enumerate(gap) if free > 13.0), gap.index(max(gap)))
        self.labels.append((places[best][0], places[best][1] - 4))
        return places[best]


def _kind(point: Point) -> str:
    return "oracle" if point.oracle else "member" if point.member else "dominated"


def _shape(kind: str, x: float, y: float, line: str, inside: str) -> str:
    """Return a disc on the front, a ring off it, a diamond for an oracle: told apart by shape."""
    look = f'stroke="{line}" stroke-width="1.6" fill="{inside}"'
    if kind == "oracle":
        return f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" {look}/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {look}/>'


def _legend() -> str:
    """Return the meaning of the three shapes, in a row below the axes."""
    parts, x = [], 8.0
    for kind, (meaning, line, inside) in MARKS.items():
        word = meaning.partition(":")[0]
        parts.append(_shape(kind, x + 6, HEIGHT - 12, line, inside))
        parts.append(_text(x + 18, HEIGHT - 8, word, "start"))
        x += 40 + 6.5 * len(word)
    return "".join(parts)


def _names(points: Sequence[Point]) -> str:
    """Return the list of policies by number."""
    return "".join(
        _text(WIDTH + 8, TOP + 10 + 15 * k, f"{k + 1} {point.policy[:34]}", "start")
        for k, point in enumerate(points)
    )


def _table(points: Sequence[Point], stream: str) -> str:
    """Return the policies by number with their figures, and who dominates them."""
    rows = []
    for k, point in enumerate(points):
        place = MARKS[_kind(point)][0].partition(":")[0]
        if point.dominated_by:
            place = f"dominated by {point.dominated_by[0]}"
            place += f" and {len(point.dominated_by) - 1} more" * (len(point.dominated_by) > 1)
        hours = [v / SECONDS_PER_HOUR for v in (point.y.value, point.y.low, point.y.high)]
        turnaround = f"{number(hours[0])} [{number(hours[1])}, {number(hours[2])}]"
        rows.append([f"{k + 1} {point.policy}", span(point.x), turnaround, place])
    head = ["policy", "ln slowdown", "work-weighted turnaround (h)", "place"]
    return html_table(f"Policies by ln slowdown, {stream}", head, rows)


def _described(points: Sequence[Point]) -> str:
    """Return the front in words, for those who do not see the picture."""
    members = "; ".join(f"{point.policy}, {_pair(point)}" for point in points if point.member)
    return f"On the front, from least slowdown on: {members}. Of {len(points)} policies in all."


def _pair(point: Point) -> str:
    hours = number(point.y.value / SECONDS_PER_HOUR)
    return f"ln slowdown {number(point.x.value)}, work-weighted turnaround {hours} h"


def _title(stream: str) -> str:
    return f"Small jobs or large ones: slowdown and work-weighted turnaround, {stream}"


def _spread(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _text(x: float, y: float, word: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(word)}</text>'
