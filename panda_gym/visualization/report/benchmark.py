"""Write the page of a benchmark: intervals, profiles, comparisons, costs, figures of runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from metrics.report.svg import curves, legend
from panda_gym.benchmarking import BenchmarkTable
from panda_gym.benchmarking.class_tables import class_tables
from panda_gym.benchmarking.lower_bounds import distance
from panda_gym.benchmarking.render import html, span
from panda_gym.benchmarking.statistical_comparison import (
    improvement,
    normalised_costs,
    normalised_reward,
    profiles,
)
from panda_gym.files import whole_file
from panda_gym.html import html_table, page
from panda_gym.visualization.report.front import front_section
from panda_gym.visualization.report.intervals import figure

METRIC = "geometric_slowdown"
DRAWN = (
    "geometric_slowdown",
    "ln_slowdown_feitelson",
    "mean_turnaround",
    "weighted_turnaround",
    "p99_slowdown",
    "drain_time",
    "wan",
    "wasted",
    "carbon",
)


def write_page(
    table: BenchmarkTable, path: str | Path, *, command: str = "", pictures: Iterable[str] = ()
) -> Path:
    """Write one self-contained page of a benchmark; no scripts, nothing asked of the network.

    pictures: figures of chosen runs (see `occupancy`).
    """
    parts = [
        *(figure(table, m, s) for s in table.streams for m in DRAWN if m in table.metrics),
        profile_figure(table),
    ]
    drawn = "".join(pictures)
    body = (
        f"<p>Made by <code>{escape(command)}</code></p>"
        f"{_fronts(table)}"
        f'<div class="grid big">{"".join(parts)}</div>{legend(table.policies)}'
        f"{''.join(_proven(table, stream) for stream in table.streams)}"
        f"{_classes(table)}{statistics_table(table)}"
        + (f'<h2>Runs</h2><div class="grid big">{drawn}</div>' if drawn else "")
        + f'<h2>All figures</h2><div class="wide">{table.to_html()}</div>'
        f"<details><summary>Provenance</summary><pre>"
        f"{escape(json.dumps(dict(table.provenance), indent=1, default=str))}</pre></details>"
    )
    with whole_file(path) as aside:
        aside.write_text(page("PandaGrid benchmark", body), encoding="utf-8")
    return Path(path)


def _proven(table: BenchmarkTable, stream: str) -> str:
    """What is proven about a stream, as a paragraph; empty where nothing is."""
    said = distance(table, stream)
    return f"<p>{escape(stream)}. {escape(said)}</p>" if said else ""


def _fronts(table: BenchmarkTable) -> str:
    """The front of policies on every stream; empty for tables of older releases."""
    drawn = "".join(front_section(table, stream) for stream in table.streams)
    return f"<h2>Which policies are worth considering</h2>{drawn}" if drawn else ""


def _classes(table: BenchmarkTable) -> str:
    """Slowdown and turnaround by classes of jobs on every stream."""
    made = [one for stream in table.streams for one in class_tables(table, stream)]
    return f"<h2>Who pays: jobs by work and by cores</h2>{html(made)}" if made else ""


def profile_figure(table: BenchmarkTable) -> str:
    """Performance profiles of all policies over all worlds."""
    found = profiles(table, METRIC)
    return curves(
        f"Share of worlds within a factor of the best ({METRIC})",
        [float(x) for x in found[0].factor],
        {one.policy: [float(y) for y in one.share] for one in found},
        ("factor", "share"),
    )


def statistics_table(table: BenchmarkTable) -> str:
    """Probability of improvement on the baseline, reward, and cost over three limits, by policy."""
    limits = [list(normalised_costs(table, table.baseline, s)) for s in table.streams]
    ends = [_ends(table, stream) for stream in table.streams]
    rows = []
    for policy in table.policies:
        cells = [span(improvement(table, policy, METRIC))]
        for stream, at, (low, high) in zip(table.streams, limits, ends, strict=True):
            apart = low != high
            reward = apart and normalised_reward(table, policy, stream, low=low, high=high)
            cells.append(span(reward) if reward else "–")
            over = normalised_costs(table, policy, stream, at)
            cells += [span(over[limit]) if limit in over else "–" for limit in at]
        rows.append([escape(policy), *cells])
    heads = ["policy", f"P(better than {table.baseline})"]
    for stream, at, (low, high) in zip(table.streams, limits, ends, strict=True):
        heads.append(f"reward (0: {low}, 1: {high}), {stream}")
        heads += [f"cost / {limit:.3g}, {stream}" for limit in at]
    caption = (
        f"Improvement ({METRIC}), normalised reward (the predicted one) and cost at three limits"
    )
    return html_table(caption, heads, rows)


def _ends(table: BenchmarkTable, stream: str) -> tuple[str, str]:
    """The policies of least and of most reward."""
    mean = {name: table.values(name, "reward_pred", stream).mean() for name in table.policies}
    return min(mean, key=mean.__getitem__), max(mean, key=mean.__getitem__)
