"""Format the figures of a benchmark as Markdown, CSV and HTML tables."""

from __future__ import annotations

import csv as csv_format
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from panda_gym.benchmarking.intervals import Interval
from panda_gym.benchmarking.measures import Measure
from panda_gym.deprecated import old_names
from panda_gym.html import table


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
class TextTable:
    """One table of text."""

    caption: str
    head: list[str]
    body: list[list[str]]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return one table as Markdown; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_bar(text) for text in line) + " |" for line in lines)


def markdown(tables: Sequence[TextTable]) -> str:
    """Return one Markdown table each, each below its caption."""
    parts = [f"{one.caption}\n\n{markdown_table(one.head, one.body)}\n" for one in tables]
    return "\n".join(parts)


def html(tables: Sequence[TextTable]) -> str:
    """Return one HTML table each; every text is escaped."""
    return "\n".join(table(one.caption, one.head, one.body) for one in tables)


def csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV table: the head, then one line a row."""
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _bar(text: str) -> str:
    return text.replace("|", "\\|")


__getattr__ = old_names(__name__)
