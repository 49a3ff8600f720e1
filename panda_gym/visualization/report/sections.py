"""Build the sections of the report, each from its part of the folder of a run.

A section of a part that was not made is left out. Whatever comes from a file is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from metrics.report.html import fragment
from metrics.report.svg import curves
from panda_gym.visualization.report.folder import RunFolder
from panda_gym.visualization.report.intervals import figure
from panda_gym.visualization.report.recorded import SHIPPED, read_table, to_html

MEASURES: Final = ("mean_slowdown", "geometric_slowdown", "mean_turnaround", "wan")
"""Measures drawn with their intervals; all others stand in the table."""


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    anchor: str
    title: str
    body: str
    """HTML, escaped."""
    source: str = ""
    """HTML: which command made the figures, on which data."""


def summary(run: RunFolder) -> Section | None:
    """What was run, on what, and the verdicts."""
    if not run.settings.is_file():
        return None
    settings = json.loads(run.settings.read_text())
    origins = {_surrogate(folder).origin for folder in run.surrogates()}
    origin = "".join(f'<p class="stand-in">{escape(text)}</p>' for text in sorted(origins))
    verdicts = "".join(
        f"<li><b>{escape(folder.name)}</b>: certificate {_verdict(folder)}</li>"
        for folder in run.surrogates()
    )
    lines = "".join(
        f"<tr><td>{escape(name)}</td><td class='note'>{escape(json.dumps(value))}</td></tr>"
        for name, value in settings.items()
    )
    table = f"<details><summary>Settings of the run</summary><table>{lines}</table></details>"
    command = f"<code>{escape(str(settings.get('command', 'panda-grid demo')))}</code>"
    return Section("summary", "Summary", f"{origin}<ul>{verdicts}</ul>{table}", command)


def records(run: RunFolder) -> Section | None:
    """The filter funnel, as in Fig. 3b of arXiv 2410.07940."""
    if not run.funnel.is_file():
        return None
    funnel = json.loads(run.funnel.read_text())
    gross = max(funnel["steps"][0]["rows"], 1)
    rows = "".join(
        f"<tr><td>{escape(s['name'])}</td><td>{s['rows']:,}</td><td>{s['rows'] / gross:.1%}</td>"
        f"<td class='note'>{escape(s['why'])}</td></tr>"
        for s in funnel["steps"]
    )
    notes = "".join(f"<li>{escape(k)}: {n:,} rows</li>" for k, n in funnel["notes"].items())
    body = (
        '<div class="wide"><table><caption>Rows left after each filter</caption>'
        "<thead><tr><th>filter</th><th>rows</th><th>share</th><th>why</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>" + (f"<ul>{notes}</ul>" if notes else "")
    )
    return Section("records", "Records", body, "<code>panda-grid records</code>; funnel.json")


def certificates(run: RunFolder) -> Section | None:
    """Every generator's certificate, with the paper's figures 4 and 5."""
    found = {folder.name: _surrogate(folder).certificate for folder in run.surrogates()}
    if not found:
        return None
    costs = "".join(_cost(run, name) for name in found)
    table = (
        '<div class="wide"><table><caption>What the fits cost</caption><thead><tr>'
        "<th>generator</th><th>training rows</th><th>CPU s</th><th>wall s</th></tr></thead>"
        f"<tbody>{costs}</tbody></table></div>"
    )
    source = (
        "<code>panda-grid fit</code>, <code>panda-grid certify</code>; "
        "surrogates/*/certificate.json"
    )
    return Section("certificates", "Certificates", fragment(found) + table, source)


def _cost(run: RunFolder, name: str) -> str:
    path = run.fitted(name) / "fit.json"
    made: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    cells = "".join(f"<td>{made.get(key, '–')}</td>" for key in ("rows", "cpu_s", "wall_s"))
    return f"<tr><td>{escape(name)}</td>{cells}</tr>"


def agent(run: RunFolder) -> Section | None:
    """The learning curve of the agent."""
    if not run.curve.is_file():
        return None
    from panda_gym.training.curve import read_curve

    points = read_curve(run.curve)
    drawn = curves(
        "Mean predicted reward of a decision",
        [float(point.steps) for point in points],
        {"agent": [point.reward for point in points]},
        ("decisions", "reward"),
    )
    last = points[-1]
    total = max(last.environment_s + last.choosing_s + last.learning_s, 1e-9)
    shares = (
        f"CPU time: environment {last.environment_s / total:.0%}, choosing "
        f"{last.choosing_s / total:.0%}, learning {last.learning_s / total:.0%} of {total:.0f} s."
    )
    body = f'<div class="grid big">{drawn}</div><p>{shares}</p>'
    source = "<code>panda-grid train</code>; training/curve.csv, training/agent/agent.json"
    return Section("agent", "Agent", body, source)


def comparison(run: RunFolder) -> Section | None:
    """Policies in paired worlds."""
    path = run.benchmark / "benchmark.json"
    if not path.is_file():
        return None
    from panda_gym.benchmarking import BenchmarkTable

    table = BenchmarkTable.from_json(path)
    drawn = "".join(
        figure(table, measure, stream) for stream in table.streams for measure in MEASURES
    )
    scenario = json.dumps(table.provenance.get("scenario", {}), default=str)
    body = (
        f'<div class="grid big">{drawn}</div><div class="wide">{table.to_html()}</div>'
        f"<details><summary>Scenario</summary><code>{escape(scenario)}</code></details>"
        "<p>Not every policy wants the same: read slowdown, turnaround, moved bytes and fairness "
        "together.</p>"
    )
    source = "<code>panda-grid benchmark</code>; benchmark/benchmark.csv"
    return Section("benchmark", "Policies", body, source)


def platform(run: RunFolder) -> Section | None:
    """Which of the platform's figures are facts, calibrated or assigned."""
    from panda_gym.sites import platform_origin

    if not run.settings.is_file():
        return None
    rows = "".join(
        f"<tr>{''.join(f'<td class=note>{escape(cell)}</td>' for cell in line.values())}</tr>"
        for line in platform_origin("atlas150")
    )
    body = (
        '<div class="wide"><table><thead><tr><th>figure</th><th>kind</th><th>source</th>'
        f"<th>rule</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
    return Section("platform", "Platform", body, "<code>python -m panda_gym.sites.calibrate</code>")


def calibration(run: RunFolder) -> Section | None:
    """How near the calibrated scenario comes to public figures, at full size and scaled."""
    return _recorded(
        run,
        "calibration",
        "Calibration",
        "Scenario atlas under PanDA's brokerage beside public figures. Its jobs follow the "
        "reference workload, a stand-in calibrated on public figures: they are not PanDA data.",
        "python scripts/calibrate_scenario.py",
    )


def link_levels(run: RunFolder) -> Section | None:
    """Error of the fast ways to share the network against exact max-min fairness."""
    return _recorded(
        run,
        "link_levels",
        "Sharing the network",
        "Stage-in times at link levels 0 (no sharing) and 1 (endpoint sharing) against level 2 "
        "(max-min fairness), the same jobs at the same sites.",
        "python scripts/link_levels.py",
    )


def _recorded(run: RunFolder, name: str, title: str, caption: str, command: str) -> Section | None:
    """A table of a script: the run's own, else the one that ships."""
    if not run.settings.is_file():
        return None
    own = run.table(name)
    made = own if own.is_file() else SHIPPED / f"{name}.csv"
    whose = f"{name}/table.csv" if own.is_file() else "recorded, not of this run"
    source = f"<code>{escape(command)} --out {escape(str(own.parent))}</code>; {whose}"
    anchor = name.replace("_", "-")
    return Section(anchor, title, to_html(read_table(made), caption), source)


VERDICTS: Final = {
    "passed": "passed",
    "failed": "failed",
    "void": "void: the evaluation missed a known-answer case, so it neither passes nor fails",
}
"""Verdicts of a certificate in words."""


def _verdict(folder: Any) -> str:
    return VERDICTS[_surrogate(folder).certificate.verdict]


def _surrogate(folder: Any) -> Any:
    from panda_gym.surrogate import Surrogate

    return Surrogate.open(folder, allow_uncertified=True)


SECTIONS: Final[tuple[Callable[[RunFolder], Section | None], ...]] = (
    summary,
    records,
    certificates,
    agent,
    comparison,
    platform,
    calibration,
    link_levels,
)
"""Makers of the sections, in order."""
