"""A benchmark as Markdown, CSV and HTML; knows how numbers are written, never how measured."""

from __future__ import annotations

import csv as csv_format
import html as html_format
import io
from collections.abc import Sequence
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


def cells(table: BenchmarkTable, stream: str, metrics: Sequence[str]) -> list[list[str]]:
    """Rows of text: policy, then IQM and interval of each measure."""
    return [
        [policy, *(span(table.interval(policy, metric, stream)) for metric in metrics)]
        for policy in table.policies
    ]


def caption(table: BenchmarkTable, stream: str) -> str:
    """What the numbers of one stream are."""
    origin = table.provenance.get("streams", {}).get(stream, "")
    return (
        f"{stream}{f' ({origin})' if origin else ''}: interquartile mean over {len(table.seeds)} "
        f"paired seeds [{table.level:.0%} bootstrap interval]"
    )


def markdown(table: BenchmarkTable, metrics: Sequence[str]) -> str:
    """One table a stream."""
    head = ["policy", *(heading(_measure(table, metric)) for metric in metrics)]
    parts = []
    for stream in table.streams:
        lines = [head, ["---"] * len(head), *cells(table, stream, metrics)]
        body = "\n".join("| " + " | ".join(_bar(text) for text in line) + " |" for line in lines)
        parts.append(f"{caption(table, stream)}\n\n{body}\n")
    return "\n".join(parts)


def html(table: BenchmarkTable, metrics: Sequence[str]) -> str:
    """One <table> a stream; every text is escaped."""

    def line(tag: str, texts: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{_safe(text)}</{tag}>" for text in texts) + "</tr>"

    head = line("th", ["policy", *(heading(_measure(table, metric)) for metric in metrics)])
    parts = []
    for stream in table.streams:
        body = "\n".join(line("td", row) for row in cells(table, stream, metrics))
        title = f"<caption>{_safe(caption(table, stream))}</caption>"
        parts.append(
            f'<table class="benchmark">{title}\n<thead>{head}</thead>\n'
            f"<tbody>\n{body}\n</tbody></table>"
        )
    return "\n".join(parts)


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
