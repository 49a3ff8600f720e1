"""Write an experiment as one HTML page of figures with intervals.

The page contains its scripts and loads nothing from the network. Names are escaped.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from panda_gym.errors import PipelineError
from panda_gym.files import whole_file
from panda_gym.html import html_table, page
from panda_gym.pipelines.comparison import compare
from panda_gym.pipelines.experiment import load

if TYPE_CHECKING:
    import pandas as pd

SHOWN: Final = (
    "performance", "mean_staleness", "quality_hours", "cost", "wait_mean_s", "wait_p95_s",
    "slowdown_mean", "utilisation_training", "retrains", "late",
)  # fmt: skip
"""Figures that the page draws."""


def write_dashboard(folder: str | Path, path: str | Path | None = None) -> Path:
    """Write the page of an experiment that has ended; return its path (in the folder if None).

    Raises PipelineError if the experiment has not ended or the path does not end in .html.
    """
    document, table = load(folder)
    path = Path(path) if path is not None else Path(folder) / "dashboard.html"
    if path.suffix != ".html":
        raise PipelineError("a page called .html", repr(path.name), "rename it")
    settings = list(document["grid"])
    shown = [name for name in SHOWN if name in table.columns]
    figures = compare(_named(table, settings), ["setting"], shown)
    with whole_file(path) as aside:
        aside.write_text(_page(document, figures, table, shown), encoding="utf-8")
    return path


def _named(table: pd.DataFrame, settings: list[str]) -> pd.DataFrame:
    """Return the table with a column that names the combination of every run."""
    names = ["all"] * len(table)
    if settings:
        rows = table[settings].astype(object).to_numpy().tolist()
        names = [", ".join(f"{k} {v}" for k, v in zip(settings, row, strict=True)) for row in rows]
    return table.assign(setting=names)


def _page(
    document: dict[str, Any], figures: pd.DataFrame, table: pd.DataFrame, shown: list[str]
) -> str:
    runs, seeds = len(table), len(document["seeds"])
    settings = html.escape(json.dumps(document["fleet"], indent=1))
    body = (
        f"<p>{runs} runs of {document['days']:g} days, {seeds} seeds a "
        "setting; means with 95 % intervals of Student's t over seeds.</p>"
        '<p class="stand-in">Fleets and their numbers are defaults of the project, not '
        "measurements, unless a fitted distribution is named below.</p>"
        f"{_rows(figures, shown)}{_drawing(figures, shown)}"
        f"<details><summary>Settings</summary><pre>{settings}</pre></details>"
    )
    return page(str(document["title"]), body)


def _rows(figures: pd.DataFrame, shown: list[str]) -> str:
    lines = []
    for setting, part in figures.groupby("setting", sort=False):
        cells = part.set_index("measure").loc[shown]
        numbers = [
            f"{row.value:.4g}<br><small>{row.low:.4g} to {row.high:.4g}</small>"
            for row in cells.itertuples()
        ]
        lines.append([html.escape(str(setting)), *numbers])
    return html_table("", ("setting", *shown), lines)


def _drawing(figures: pd.DataFrame, shown: list[str]) -> str:
    """Return a chart of every figure over the settings, with its intervals."""
    from plotly.subplots import make_subplots

    columns = 2
    drawn = make_subplots(
        rows=-(-len(shown) // columns), cols=columns, subplot_titles=[html.escape(s) for s in shown]
    )
    for i, name in enumerate(shown):
        part = figures[figures["measure"] == name]
        drawn.add_scatter(
            x=[html.escape(str(s)) for s in part["setting"]],
            y=part["value"].tolist(),
            error_y={
                "type": "data",
                "array": (part["high"] - part["value"]).tolist(),
                "arrayminus": (part["value"] - part["low"]).tolist(),
            },
            mode="markers",
            marker={"color": "#4477aa"},
            showlegend=False,
            row=i // columns + 1,
            col=i % columns + 1,
        )
    drawn.update_layout(height=280 * -(-len(shown) // columns), template="plotly_white")
    drawing: str = drawn.to_html(include_plotlyjs=True, full_html=False)
    return drawing
