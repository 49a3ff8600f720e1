"""A benchmark as Markdown, CSV and HTML; knows how numbers are written, never how measured."""

from __future__ import annotations

import csv as csv_format
import html as html_format
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from panda_gym.benchmarking.intervals import Interval
from panda_gym.benchmarking.measures import MEASURES, Measure

if TYPE_CHECKING:
    from panda_gym.benchmarking.table import BenchmarkTable

MEASURE: Final = {measure.name: measure for measure in MEASURES}


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


def sheets(table: BenchmarkTable, metrics: Sequence[str]) -> list[Sheet]:
    """For each stream the values and, of more than one policy, the differences in pairs."""
    head = ["policy", *(heading(_measure(table, metric)) for metric in metrics)]
    found = []
    for stream in table.streams:
        values = [
            [policy, *(span(table.interval(policy, metric, stream)) for metric in metrics)]
            for policy in table.policies
        ]
        found.append(Sheet(caption(table, stream), head, values))
        others = [policy for policy in table.policies if policy != table.baseline]
        apart = [
            [policy, *(_difference(table, policy, metric, stream) for metric in metrics)]
            for policy in others
        ]
        if others:
            title = f"{stream}: difference to {table.baseline} in the same worlds"
            found.append(Sheet(f"{title} (* interval without 0)", head, apart))
    return found


def caption(table: BenchmarkTable, stream: str) -> str:
    """What the numbers of one stream are."""
    origin = table.provenance.get("streams", {}).get(stream, "")
    return (
        f"{stream}{f' ({origin})' if origin else ''}: interquartile mean over {len(table.seeds)} "
        f"paired seeds [{table.level:.0%} bootstrap interval]"
    )


def markdown(table: BenchmarkTable, metrics: Sequence[str]) -> str:
    """Two tables a stream: values, differences."""
    parts = []
    for sheet in sheets(table, metrics):
        lines = [sheet.head, ["---"] * len(sheet.head), *sheet.body]
        body = "\n".join("| " + " | ".join(_bar(text) for text in line) + " |" for line in lines)
        parts.append(f"{sheet.caption}\n\n{body}\n")
    return "\n".join(parts)


def html(table: BenchmarkTable, metrics: Sequence[str]) -> str:
    """Two <table>s a stream; every text is escaped."""

    def line(tag: str, texts: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{_safe(text)}</{tag}>" for text in texts) + "</tr>"

    return "\n".join(
        f'<table class="benchmark"><caption>{_safe(sheet.caption)}</caption>\n'
        f"<thead>{line('th', sheet.head)}</thead>\n<tbody>\n"
        + "\n".join(line("td", row) for row in sheet.body)
        + "\n</tbody></table>"
        for sheet in sheets(table, metrics)
    )


def _difference(table: BenchmarkTable, policy: str, metric: str, stream: str) -> str:
    """A paired difference, starred where its interval leaves out 0."""
    apart = table.difference(policy, metric, stream=stream)
    return span(apart) + (" *" if apart.low > 0.0 or apart.high < 0.0 else "")


CSV_COLUMNS: Final = (
    "stream",
    "policy",
    "metric",
    "unit",
    "better",
    "iqm",
    "low",
    "high",
    "seeds",
    "difference_against",
    "difference",
    "difference_low",
    "difference_high",
)


def csv(table: BenchmarkTable) -> str:
    """One line a stream, policy and measure; columns are CSV_COLUMNS."""
    text = io.StringIO()
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for stream in table.streams:
        for policy in table.policies:
            for measure in MEASURES:
                at = table.interval(policy, measure.name, stream)
                off = table.difference(policy, measure.name, stream=stream)
                about = (stream, policy, measure.name, measure.unit, measure.better)
                numbers = (at.value, at.low, at.high, at.n)
                writer.writerow((*about, *numbers, table.baseline, off.value, off.low, off.high))
    return text.getvalue()


def _measure(table: BenchmarkTable, metric: str) -> Measure:
    table._check("metric", metric, table.metrics)
    return MEASURE[metric]


def _bar(text: str) -> str:
    return text.replace("|", "\\|")


def _safe(text: str) -> str:
    return html_format.escape(text, quote=True)
