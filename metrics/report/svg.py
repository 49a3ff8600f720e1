"""Figures as inline SVG.

Every figure has a title for screen readers, scales with the page, takes its colours from CSS
variables (so that it follows light and dark) and escapes whatever text it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

COLOURS = 6
"""Series colours, --s0 (real) to --s5, defined by the page's style."""


def densities(
    title: str, edges: Sequence[float], series: Mapping[str, Sequence[float]], labels: Sequence[str]
) -> str:
    """Return the densities of one number (Fig. 4a): the first series filled, the others as lines.

    `series` maps a name to the share of rows in each bin of `edges`; `labels` are the words at the
    left end, the middle and the right end of the axis.
    """
    width, height, foot = 320, 150, 20
    top = max((max(shares, default=0) for shares in series.values()), default=0) or 1.0
    low, span = edges[0], (edges[-1] - edges[0]) or 1.0
    parts = []
    for i, (name, shares) in enumerate(series.items()):
        points = []
        for left, right, share in zip(edges, edges[1:], shares, strict=False):
            y = height - foot - share / top * (height - foot - 6)
            points += [f"{(x - low) / span * width:.1f},{y:.1f}" for x in (left, right)]
        line = " ".join(points)
        look = 'class="line"'
        if i == 0:
            line, look = f"0,{height - foot} {line} {width},{height - foot}", 'class="area"'
        shape = "polygon" if i == 0 else "polyline"
        parts.append(
            f'<{shape} {look} style="--c:var(--s{i % COLOURS})" points="{line}">'
            f"<title>{escape(name)}</title></{shape}>"
        )
    for x, anchor, label in zip(
        (2, width / 2, width - 2), ("start", "middle", "end"), labels, strict=False
    ):
        parts.append(_text(x, height - 5, label, anchor))
    return _svg(title, width, height, parts)


def bars(title: str, levels: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """Return the shares of a category's commonest levels (Fig. 4b), one bar for each table."""
    thick, gap, width, label = 10, 10, 320, 118
    step = thick * len(series) + gap
    top = max((max(shares, default=0) for shares in series.values()), default=0) or 1.0
    parts = []
    for row, level in enumerate(levels):
        word = level if len(level) <= 20 else level[:19] + "…"
        parts.append(_text(label - 6, row * step + step / 2 + 1, word, "end", whole=level))
        for i, (name, shares) in enumerate(series.items()):
            length = shares[row] / top * (width - label - 44)
            y = row * step + i * thick + gap / 2
            parts.append(
                f'<rect class="bar" style="--c:var(--s{i % COLOURS})" x="{label}" y="{y:.1f}" '
                f'width="{length:.1f}" height="{thick - 1}"><title>{escape(name)}: {escape(level)} '
                f"{shares[row]:.3f}</title></rect>"
                + _text(label + length + 4, y + thick - 1, f"{100 * shares[row]:.1f} %", small=True)
            )
    return _svg(title, width, max(step * len(levels), step), parts)


def triangle(title: str, names: Sequence[str], matrix: Sequence[Sequence[float]]) -> str:
    """Return the lower triangle of an association matrix (Fig. 5), entries in [-1, 1]."""
    cell, label = 34, 112
    size = cell * len(names)
    parts = []
    for i, name in enumerate(names):
        parts.append(_text(label - 5, i * cell + cell / 2 + 4, name[:18], "end", whole=name))
        x = label + i * cell + cell / 2
        word = escape(name[:18])
        parts.append(
            f'<text class="tick" transform="translate({x + 3:.0f},{size + 8}) rotate(-60)" '
            f'text-anchor="end">{word}</text>'
        )
        for j in range(i + 1):
            value = matrix[i][j]
            sign = "pos" if value >= 0 else "neg"
            parts.append(
                f'<rect class="{sign}" x="{label + j * cell}" y="{i * cell}" width="{cell - 1}" '
                f'height="{cell - 1}" fill-opacity="{min(1.0, abs(value)):.3f}">'
                f"<title>{escape(name)}, {escape(names[j])}: {value:.3f}</title></rect>"
                + _text(
                    label + j * cell + cell / 2,
                    i * cell + cell / 2 + 3,
                    _signed(value),
                    "middle",
                    small=True,
                )
            )
    return _svg(title, label + size, size + 100, parts)


def curves(
    title: str,
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    labels: tuple[str, str],
) -> str:
    """Return curves over one axis; `labels` name the two axes."""
    width, height, left, foot = 320, 180, 48, 32
    values = [v for ys in series.values() for v in ys]
    low, high = min([0.0, *values]), max([0.0, *values])
    high += 1e-9 * (high == low)
    x0, span = min(x, default=0.0), (max(x, default=1.0) - min(x, default=0.0)) or 1.0
    parts = []
    for i, (name, ys) in enumerate(series.items()):
        points = " ".join(
            f"{left + (a - x0) / span * (width - left - 6):.1f},"
            f"{6 + (high - b) / (high - low) * (height - foot - 6):.1f}"
            for a, b in zip(x, ys, strict=False)
        )
        parts.append(
            f'<polyline class="line" style="--c:var(--s{i % COLOURS})" points="{points}">'
            f"<title>{escape(name)}</title></polyline>"
        )
    parts += [
        _text(left - 4, 12, f"{high:.2g}", "end"),
        _text(left - 4, height - foot, f"{low:.2g}", "end"),
        _text(left, height - foot + 13, f"{x0:.4g}"),
        _text(width - 2, height - foot + 13, f"{x0 + span:.4g}", "end"),
        _text((left + width) / 2, height - 5, labels[0], "middle"),
        _text(left + 4, 12, labels[1]),
    ]
    return _svg(title, width, height, parts)


def legend(names: Sequence[str]) -> str:
    """Return the key of a set of figures: one coloured mark for each name."""
    marks = "".join(
        f'<li><i style="--c:var(--s{i % COLOURS})"></i>{escape(name)}</li>'
        for i, name in enumerate(names)
    )
    return f'<ul class="key">{marks}</ul>'


def _svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    body = "".join(parts)
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg role="img" aria-label='
        f'"{escape(title)}" viewBox="0 0 {width:.0f} {height:.0f}"><title>{escape(title)}</title>'
        f"{body}</svg></figure>"
    )


def _text(
    x: float, y: float, word: str, anchor: str = "start", *, small: bool = False, whole: str = ""
) -> str:
    look = "small" if small else "tick"
    title = f"<title>{escape(whole)}</title>" if whole and whole != word else ""
    return (
        f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(word)}{title}</text>"
    )


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"
