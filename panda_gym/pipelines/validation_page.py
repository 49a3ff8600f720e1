"""Page of a validation: its figures as a table and four charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from panda_gym.html import page, table

TITLES = ("jobs an hour", "Q-Q of gaps, s", "Q-Q of durations, s", "hourly counts: Fano factor")
"""Titles of the charts."""


def validation_page(found: Mapping[str, Any]) -> str:
    """Return the page of the fields of a `Validation` as HTML."""
    charts = _charts(found).to_html(include_plotlyjs=True, full_html=False)
    return page(
        "Validation of distributions", table("", ("figure", "value"), _rows(found)) + charts
    )


def _rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    waits = found["waits"]
    means = ", ".join(f"{w['mean']:,.0f} s" for w in waits["simulated"])
    baseline = f"the same hours a week before: {found['baseline_correlation']:.3f}"
    return [
        ("origin", found["origin"]),
        ("model of arrivals", found["model"]),
        ("fitted", f"{found['fitted_jobs']:,} jobs of {found['fitted_days']:g} days"),
        ("compared with", f"{found['rest_jobs']:,} jobs of {found['rest_days']:.2f} days"),
        ("jobs simulated", ", ".join(f"{n:,}" for n in found["total"]["simulated"])),
        ("correlation of hourly counts", f"{found['profile_correlation']:.3f} ({baseline})"),
        ("KS of gaps, durations", f"{found['gaps']['ks']:.3f}, {found['durations']['ks']:.3f}"),
        ("processors of the queue, load", f"{waits['processors']:,}, {waits['load']:.3f}"),
        ("mean wait, recorded and simulated", f"{waits['recorded']['mean']:,.0f} s; {means}"),
    ]


def _charts(found: Mapping[str, Any]) -> Any:
    from plotly.subplots import make_subplots

    drawn = make_subplots(rows=2, cols=2, subplot_titles=TITLES)
    hours = list(range(len(found["profile"]["recorded"])))
    for name, colour in (("recorded", "#222222"), ("simulated", "#4477aa")):
        drawn.add_scatter(
            x=hours, y=found["profile"][name], name=name, line={"color": colour}, row=1, col=1
        )
    _add_quantiles(drawn, found["gaps"], 1, 2)
    _add_quantiles(drawn, found["durations"], 2, 1)
    fano = [
        found["fano"]["fitted part"],
        found["fano"]["recorded"],
        np.mean(found["fano"]["simulated"]),
    ]
    names = ["fitted part", "recorded", "simulated"]
    drawn.add_bar(x=names, y=[float(v) for v in fano], showlegend=False, row=2, col=2)
    drawn.update_layout(height=800, template="plotly_white")
    return drawn


def _add_quantiles(drawn: Any, part: dict[str, Any], row: int, col: int) -> None:
    ends = [min(part["recorded"]), max(part["recorded"])]
    where: dict[str, Any] = {"showlegend": False, "row": row, "col": col}
    drawn.add_scatter(x=part["recorded"], y=part["simulated"], mode="markers", **where)
    drawn.add_scatter(x=ends, y=ends, mode="lines", **where)
    drawn.update_xaxes(type="log", title_text="recorded", row=row, col=col)
    drawn.update_yaxes(type="log", title_text="simulated", row=row, col=col)
