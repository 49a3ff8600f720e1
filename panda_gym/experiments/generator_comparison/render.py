"""Write a comparison as Markdown, CSV and one HTML page with figures 4 and 5 of the paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from panda_gym.benchmarking.render import csv as csv_table
from panda_gym.benchmarking.render import markdown_table
from panda_gym.experiments.generator_comparison.entry import Entry, Measured
from panda_gym.experiments.generator_comparison.plan import ComparisonFolder, ComparisonPlan
from panda_gym.files import whole_file
from panda_gym.html import page, table

COLUMNS: Final = {
    "wd": ("WD", 4),
    "jsd": ("JSD", 4),
    "diff_corr": ("diff-CORR", 4),
    "dcr": ("DCR", 3),
    "mlef": ("MLEF", 3),
    "diff_mlef": ("diff-MLEF", 3),
    "f1": ("TSTR F1", 3),
    "c2st": ("C2ST", 3),
    "closer_to_train": ("closer to train", 3),
    "rare_tv": ("rare levels TV", 3),
}
"""Scores in the order of the table: heading and digits after the point."""
MEANING: Final = (
    "WD: mean Wasserstein distance of the numbers, rank scale. JSD: mean Jensen-Shannon divergence "
    "of the categories, bits. diff-CORR: mean absolute difference of the matrices of association. "
    "DCR: mean distance to the closest training row (to be read beside that of held-out rows). "
    "MLEF: squared error of ln(target) on held-out rows of a model learnt on synthetic rows (real: "
    "on training rows), diff-MLEF: what the former is more. TSTR F1: macro F1 on held-out rows of "
    "a CatBoost classifier learnt on synthetic rows. C2ST: area under the curve of a classifier "
    "that tells synthetic from held-out rows. Closer to train: share of rows nearer to training "
    "than to as many held-out rows; .5 is chance. Rare levels TV: total variation over levels "
    "with less than a thousandth of the rows, relative to their share. In brackets: 95 % "
    "intervals. Real: what unseen real rows score (for MLEF and TSTR F1: a model learnt on the "
    "training rows)."
)
COSTS: Final = ("fit_cpu_s", "fit_wall_s", "fit_rss_mb", "rows_per_cpu_s", "sample_wall_s")
CSV_COLUMNS: Final = ("generator", "what", "value", "low", "high", "real_vs_real", "n")


def write(
    place: ComparisonFolder,
    plan: ComparisonPlan,
    entries: Sequence[Entry],
    command: str,
    left_out: Mapping[str, str],
) -> None:
    """Write `comparison.md`, `comparison.csv` and `comparison.html`."""
    told = [statement(plan), *(f"Left out: {name}: {why}" for name, why in left_out.items())]
    pages = {
        "comparison.md": markdown(entries, command, told),
        "comparison.csv": csv(entries),
        "comparison.html": html(place, entries, command, told),
    }
    for name, text in pages.items():
        with whole_file(place.root / name) as aside:
            aside.write_text(text, encoding="utf-8")


def sheets(entries: Sequence[Entry]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return caption, headings and rows of the tables: fidelity and privacy, then cost."""
    return [_quality(entries), _cost(entries)]


def _quality(entries: Sequence[Entry]) -> tuple[str, list[str], list[list[str]]]:
    known = [id for id in COLUMNS if any(id in e.quality.scores for e in entries)]
    real = [_reference(entries, id) for id in known]
    rows = [["real, unseen", *real]]
    for entry in entries:
        found = [_cell(entry.quality.scores.get(id), COLUMNS[id][1]) for id in known]
        rows.append([entry.name, *found])
    return "Fidelity, efficacy, privacy", ["model", *(COLUMNS[id][0] for id in known)], rows


def _reference(entries: Sequence[Entry], id: str) -> str:
    """Return the mean reference: each certificate measures it on as many rows as it evaluates."""
    found = [e.quality.scores[id].real_vs_real for e in entries if id in e.quality.scores]
    found = [x for x in found if math.isfinite(x)]
    return _digits(sum(found) / len(found), COLUMNS[id][1]) if found else "–"


def _cell(score: Measured | None, digits: int) -> str:
    if score is None or not math.isfinite(score.value):
        return "–"
    value, low, high = (_digits(x, digits) for x in (score.value, score.low, score.high))
    return f"{value} [{low}, {high}]"


def _digits(x: float, digits: int) -> str:
    return f"{x + 0.0:.{digits}f}" if math.isfinite(x) else "–"


def _cost(entries: Sequence[Entry]) -> tuple[str, list[str], list[list[str]]]:
    head = [
        "model",
        "fit, CPU s",
        "fit, wall s",
        "peak memory of fit, MB",
        "of that before the fit, MB",
        "rows drawn per CPU s",
        "draw, wall s",
        "model, MB",
    ]
    rows = [
        [
            entry.name,
            f"{cost.fit_cpu_s:,.1f}",
            f"{cost.fit_wall_s:,.1f}",
            *("" if mb is None else f"{mb:,.0f}" for mb in (cost.fit_rss_mb, cost.base_rss_mb)),
            f"{cost.rows_per_cpu_s:,.0f}",
            f"{cost.sample_wall_s:,.1f}",
            f"{cost.model_mb:,.1f}",
        ]
        for entry in entries
        for cost in [entry.cost]
    ]
    return "Cost, one thread, each generator in a process of its own", head, rows


def statement(plan: ComparisonPlan) -> str:
    """Return one sentence on rows, seed and evaluation."""
    mode = "subsampling (quick)" if plan.quick else "in full"
    return (
        f"{plan.train_rows:,} training rows, {plan.holdout_rows:,} held out at random, seed "
        f"{plan.seed}; evaluated {mode} by policy {plan.policy}. {plan.origin}"
    )


def markdown(entries: Sequence[Entry], command: str, told: Sequence[str]) -> str:
    """Return the tables as Markdown."""
    parts = [f"`{command}`"] if command else []
    parts += told
    for caption, head, rows in sheets(entries):
        parts += [f"**{caption}**", markdown_table(head, rows)]
    return "\n\n".join([*parts, MEANING]) + "\n"


def csv(entries: Sequence[Entry]) -> str:
    """Return one line a generator and number; columns are CSV_COLUMNS."""
    rows: list[tuple[object, ...]] = []
    for entry in entries:
        for id, s in entry.quality.scores.items():
            rows.append((entry.name, id, s.value, s.low, s.high, s.real_vs_real, s.n))
        for what in COSTS:
            rows.append((entry.name, what, getattr(entry.cost, what), "", "", "", ""))
    return csv_table(CSV_COLUMNS, rows)


def html(
    place: ComparisonFolder, entries: Sequence[Entry], command: str, told: Sequence[str]
) -> str:
    """Return one self-contained page: the tables, then the certificates' figures and numbers."""
    from metrics import Certificate
    from metrics.report.html import fragment

    cards = {e.name: Certificate.from_json(place.of(e.name).certificate) for e in entries}
    tables = "".join(table(*sheet) for sheet in sheets(entries))
    made = f"<p><code>{escape(command)}</code></p>" if command else ""
    made += "".join(f"<p>{escape(sentence)}</p>" for sentence in told)
    body = f"{made}{tables}<p>{escape(MEANING)}</p>{fragment(cards)}"
    return page("Comparison of generators", body)
