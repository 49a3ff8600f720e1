"""Gantt charts and running tasks of executions, as HTML (plotly) or PNG (matplotlib).

Names are data: HTML is escaped, and no name is read as markup.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.files import whole_file
from panda_gym.workflows.execution import Execution, steps

Array = np.ndarray

MOST_ROWS: Final = 60
"""Most rows of a Gantt chart; more sets are grouped by kind, more kinds are left out."""

COLOURS: Final = (
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#997700", "#bbbbbb",
)  # fmt: skip
"""Colours of the kinds, repeated if there are more."""


@dataclass(frozen=True, eq=False)
class GanttRows:
    """Rows of a Gantt chart: when a set (or kind) was running."""

    names: tuple[str, ...]
    """Labels of the rows."""
    kinds: tuple[str, ...]
    """Kinds of the rows, which determine the colours."""
    start: Array
    """float64[rows]: first start, s."""
    stop: Array
    """float64[rows]: last stop, s."""
    tasks: Array
    """int64[rows]: number of tasks."""


def gantt_rows(run: Execution) -> GanttRows:
    """Return one row per set in the order of their starts, or per kind if there are too many."""
    flow = run.workflow
    start, stop, tasks = run.set_start(), run.set_stop(), flow.tasks.astype(np.int64)
    names, kinds = flow.ids, tuple(flow.kind_names[k] for k in flow.kind)
    if len(flow) > MOST_ROWS:
        count = len(flow.kind_names)
        first, last = np.full(count, np.inf), np.zeros(count)
        np.minimum.at(first, flow.kind, start)
        np.maximum.at(last, flow.kind, stop)
        tasks = np.bincount(flow.kind, weights=tasks, minlength=count).astype(np.int64)
        start, stop, names, kinds = first, last, flow.kind_names, flow.kind_names
    order = np.argsort(start, kind="stable")[:MOST_ROWS]
    zero = run.start.min()
    return GanttRows(
        tuple(names[i] for i in order),
        tuple(kinds[i] for i in order),
        start[order] - zero,
        stop[order] - zero,
        tasks[order],
    )


def running_by_kind(run: Execution) -> dict[str, tuple[Array, Array]]:
    """Return the running tasks of every kind over time: kind to (times s, tasks from each on)."""
    flow = run.workflow
    kind = flow.kind[flow.task_set()]
    found = {}
    for code, name in enumerate(flow.kind_names[: len(COLOURS)]):
        mine = kind == code
        if mine.any():
            one = np.ones(int(mine.sum()), dtype=np.int64)
            times, tasks = steps(run.start[mine], run.stop[mine], one)
            found[name] = (times - run.start.min(), tasks)
    return found


def draw(path: str | Path, runs: Mapping[str, Execution]) -> None:
    """Draw a Gantt chart and the running tasks of every execution, one below the other.

    The suffix of `path` selects the format: .html (self-contained) or .png. Raises WorkflowError
    for another suffix, or if `runs` is empty.
    """
    path = Path(path)
    if path.suffix not in _FORMS:
        raise WorkflowError("a picture called .html or .png", repr(path.name), "rename it")
    if not runs:
        raise WorkflowError("at least one execution to draw", "none", "pass one")
    with whole_file(path) as aside:
        _FORMS[path.suffix](aside, runs)


def _palette(runs: Mapping[str, Execution]) -> dict[str, str]:
    names = dict.fromkeys(name for run in runs.values() for name in run.workflow.kind_names)
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


def _title(name: str, run: Execution) -> str:
    used = ", ".join(f"{key} {value:.3f}" for key, value in run.utilisation.items())
    return f"{name}: {run.ttx_s:,.1f} s; utilisation {used}"


def _html(path: Path, runs: Mapping[str, Execution]) -> None:
    from plotly.subplots import make_subplots

    palette = _palette(runs)
    titles = [
        html.escape(t) for n, r in runs.items() for t in (_title(n, r), f"{n}: running tasks")
    ]
    figure = make_subplots(rows=2 * len(runs), cols=1, subplot_titles=titles)
    shown: set[str] = set()
    for i, run in enumerate(runs.values()):
        _html_bars(figure, gantt_rows(run), palette, shown, 2 * i + 1)
        for kind, (times, tasks) in running_by_kind(run).items():
            figure.add_scatter(
                x=times, y=tasks, mode="lines", line={"shape": "hv", "color": palette[kind]},
                name=html.escape(kind), legendgroup=html.escape(kind), showlegend=False,
                row=2 * i + 2, col=1,
            )  # fmt: skip
    figure.update_layout(height=320 * 2 * len(runs), barmode="overlay", template="plotly_white")
    figure.update_xaxes(title_text="time / s", rangemode="tozero")
    path.write_text(figure.to_html(include_plotlyjs=True, full_html=True), encoding="utf-8")


def _html_bars(
    figure: Any, rows: GanttRows, palette: dict[str, str], shown: set[str], at: int
) -> None:
    for kind in dict.fromkeys(rows.kinds):
        mine = [i for i, k in enumerate(rows.kinds) if k == kind]
        figure.add_bar(
            y=[html.escape(rows.names[i]) for i in mine],
            x=(rows.stop - rows.start)[mine],
            base=rows.start[mine],
            orientation="h",
            marker_color=palette[kind],
            name=html.escape(kind),
            legendgroup=html.escape(kind),
            showlegend=kind not in shown,
            customdata=rows.tasks[mine],
            hovertemplate="%{y}: %{customdata} tasks, %{base:.1f} s + %{x:.1f} s<extra></extra>",
            row=at,
            col=1,
        )
        shown.add(kind)
    names = [html.escape(name) for name in rows.names]
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names, autorange="reversed",
        row=at, col=1,
    )  # fmt: skip


def _png(path: Path, runs: Mapping[str, Execution]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    palette = _palette(runs)
    figure = Figure(figsize=(10, 5.5 * len(runs)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * len(runs), 1, squeeze=False)[:, 0]
    for i, (name, run) in enumerate(runs.items()):
        _png_bars(axes[2 * i], gantt_rows(run), palette)
        axes[2 * i].set_title(_title(name, run), parse_math=False)
        below = axes[2 * i + 1]
        for kind, (times, tasks) in running_by_kind(run).items():
            below.step(times, tasks, where="post", color=palette[kind], label=_plain(kind))
        below.set_xlabel("time / s")
        below.set_ylabel("running tasks")
        below.legend(fontsize="small")
        axes[2 * i].set_xlim(below.get_xlim())
    figure.savefig(path, format="png", dpi=100)


def _png_bars(axis: Any, rows: GanttRows, palette: dict[str, str]) -> None:
    place = np.arange(len(rows.names))
    colours = [palette[kind] for kind in rows.kinds]
    axis.barh(place, rows.stop - rows.start, left=rows.start, color=colours)
    axis.set_yticks(place, [_plain(name) for name in rows.names], fontsize="small")
    axis.invert_yaxis()


def _plain(name: str) -> str:
    """Return a name that matplotlib neither reads as mathematics nor leaves out of a legend."""
    return name.replace("$", r"\$").lstrip("_") or "_"


_FORMS: Final = {".html": _html, ".png": _png}
