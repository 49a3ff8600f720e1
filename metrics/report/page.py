"""Build HTML pages and tables: one frame and one stylesheet for every page of the project.

A page has no scripts of its own and asks nothing of the network. Text is escaped here; arguments
that hold HTML say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files


@cache
def style() -> str:
    """Return the stylesheet of all pages; rules of figures and tables apply inside class `mc`."""
    return (files("metrics.report") / "style.css").read_text(encoding="utf-8")


def page(title: str, body: str, *, heading: str | None = None) -> str:
    """Return a whole page.

    title: text of the title; also of the first heading unless `heading` is given.
    body: HTML.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>'
        f"<style>{style()}</style></head>"
        f'<body class="mc"><main><h1>{escape(heading or title)}</h1>{body}</main></body></html>\n'
    )


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts, escaped; it scrolls sideways where the page is narrow."""
    return html_table(caption, head, [[escape(cell) for cell in row] for row in rows])


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are HTML; caption and head are text."""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="wide"><table>{above}<thead><tr>{names}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )
