"""Figures as Markdown, CSV and HTML; knows how numbers are written, never how measured."""

from __future__ import annotations

import csv as csv_format
import html as html_format
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from panda_gym.benchmarking.intervals import Interval
from panda_gym.benchmarking.measures import Measure


def number(value: float) -> str:
    """Three significant digits, whole numbers from a hundred on."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def span(interval: Interval) -> str:
    """Value and interval: `4.4 [4.1, 4.9]`."""
    return f"{number(interval.value)} [{number(interval.low)}, {number(interval.high)}]"


def heading(measure: Measure) -> str:
    """Name, unit and which end is better."""
    arrow = {"low": " ↓", "high": " ↑", "neither": ""}[measure.better]
    unit = "" if measure.unit == "1" else f" ({measure.unit})"
    return f"{measure.name}{unit}{arrow}"


@dataclass(frozen=True)
class Sheet:
    """One table of text."""

    caption: str
    head: list[str]
    body: list[list[str]]


def markdown(sheets: Sequence[Sheet]) -> str:
    """One table a sheet."""
    parts = []
    for sheet in sheets:
        lines = [sheet.head, ["---"] * len(sheet.head), *sheet.body]
        body = "\n".join("| " + " | ".join(_bar(text) for text in line) + " |" for line in lines)
        parts.append(f"{sheet.caption}\n\n{body}\n")
    return "\n".join(parts)


def html(sheets: Sequence[Sheet]) -> str:
    """One <table> a sheet; every text is escaped."""

    def line(tag: str, texts: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{_safe(text)}</{tag}>" for text in texts) + "</tr>"

    return "\n".join(
        f'<table class="benchmark"><caption>{_safe(sheet.caption)}</caption>\n'
        f"<thead>{line('th', sheet.head)}</thead>\n<tbody>\n"
        + "\n".join(line("td", row) for row in sheet.body)
        + "\n</tbody></table>"
        for sheet in sheets
    )


def csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """One line a row."""
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _bar(text: str) -> str:
    return text.replace("|", "\\|")


def _safe(text: str) -> str:
    return html_format.escape(text, quote=True)
