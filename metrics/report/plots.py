"""The drawn sections of a report: the paper's figures, distances, attacks and time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from metrics.certificate.certificate import Certificate
from metrics.report import svg as figures

PREFIXES = ("", "k", "M", "G", "T", "P", "E")
"""SI prefixes of the powers of a thousand."""


def numbers(named: Mapping[str, Certificate]) -> str:
    """Draw Figure 4a: the densities of the numbers, real and synthetic."""
    plots = []
    for column, real in _columns(named, "numbers"):
        series = {"real": real["train"]}
        for name, card in named.items():
            mine = card.document["profile"]["numbers"].get(column)
            if mine is not None and mine["edges"] == real["edges"]:
                series[name] = mine["synthetic"]
        labels = [_edge(real, i) for i in (0, len(real["edges"]) // 2, -1)]
        plots.append(figures.densities(column, real["edges"], series, labels))
    note = "The outermost bars hold all that lies further out."
    return _section("Densities of the numbers (Figure 4a of the paper)", named, plots, note)


def _columns(named: Mapping[str, Certificate], kind: str) -> list[tuple[str, Any]]:
    """Return the described columns of the first certificate, in table order."""
    document = next(iter(named.values())).document
    described = document["profile"][kind]
    return [(name, described[name]) for name in document["columns"]["order"] if name in described]


def _edge(density: Mapping[str, Any], i: int) -> str:
    edge = density["edges"][i]
    if density["scale"] == "time":
        return datetime.fromtimestamp(edge, UTC).strftime("%Y-%m-%d")
    return _short(10**edge - 1 if density["scale"] == "log10(1+x)" else edge)


def _short(x: float) -> str:
    """Return a number in three digits, large ones with the prefix of their thousands."""
    size = 0 if abs(x) < 1 else min(int(math.log10(abs(x)) // 3), len(PREFIXES) - 1)
    return f"{x / 1000**size:.3g}{PREFIXES[size]}"


def categories(named: Mapping[str, Certificate]) -> str:
    """Draw Figure 4b: the shares of the commonest levels."""
    plots = []
    for column, real in _columns(named, "categories"):
        series = {"real": real["train"]}
        for name, card in named.items():
            mine = card.document["profile"]["categories"].get(column)
            if mine is not None and mine["levels"] == real["levels"]:
                series[name] = mine["synthetic"]
        plots.append(figures.bars(column, real["levels"], series))
    note = "Shares of rows on the levels that are commonest in real rows."
    return _section("Commonest levels of the categories (Figure 4b)", named, plots, note)


def associations(named: Mapping[str, Certificate]) -> str:
    """Draw Figures 5a and 5b: association matrices, and their differences from the real one."""
    real = next(iter(named.values())).document["profile"]["association"]
    columns = real["columns"]
    plots = []
    for name, card in named.items():
        own = card.document["profile"]["association"]
        if own["columns"] != columns:
            continue
        plots.append(figures.triangle(f"{name} (5b)", columns, own["synthetic"]))
        gap = [
            [a - b for a, b in zip(*rows, strict=True)]
            for rows in zip(own["synthetic"], own["train"], strict=True)
        ]
        plots.append(figures.triangle(f"{name} minus real (5b)", columns, gap))
    first = figures.triangle("real (5a)", columns, real["train"])
    grids = "".join(f'<div class="grid big">{x}</div>' for x in (first, "".join(plots)))
    note = "Pearson on ranks, correlation ratio, Theil's U of the row given the column."
    return f"<h2>Associations of columns (Figure 5)</h2><p>{note}</p>{grids}"


def curves(named: Mapping[str, Certificate]) -> str:
    """Draw distances to the closest training row, attacks, and the cycles and memory of time."""
    notes = {name: card.document["curves"] for name, card in named.items()}
    distances = {name: note["dcr"] for name, note in notes.items() if "dcr" in note}
    times = {name: note["time"] for name, note in notes.items() if "time" in note}
    plots = [_distances(distances)] if len(distances) == len(named) else []
    found = _section("Distance to the training rows", named, plots, NEARER)
    found += _section("Attacks on membership", named, attack_curves(notes), GUESSING)
    plots = _time_curves(times) if len(times) == len(named) else []
    return found + _section("Time", named, plots, ALONE, INDEPENDENT)


def attack_curves(curves: Mapping[str, Any]) -> list[str]:
    """Draw, for each attack, the share of members found at each share of false alarms."""
    attacks: dict[str, dict[str, Any]] = {}
    for name, curve in curves.items():
        for title, roc in _rocs(curve, ()):
            attacks.setdefault(title, {})[name] = roc
    plots = []
    for title, found in attacks.items():
        fpr = next(iter(found.values()))["fpr"]
        series = {"real": fpr, **{name: found[name]["tpr"] for name in curves if name in found}}
        plots.append(figures.curves(title, fpr, series, ("false alarms", "members found")))
    return plots


def _rocs(note: Any, path: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Return every curve of true against false positives in the notes, with its name."""
    if not isinstance(note, Mapping):
        return []
    if {"fpr", "tpr"} <= set(note):
        return [(" ".join(path).replace("_", " "), note)]
    return [found for word, inner in note.items() for found in _rocs(inner, (*path, word))]


def _distances(curves: Mapping[str, Any]) -> str:
    """Draw the quantiles of the distances to train, of held-out real rows and of each table."""
    first = next(iter(curves.values()))
    found = {"held-out real rows": first["holdout"]}
    found |= {name: curve["synthetic"] for name, curve in curves.items()}
    logs = {
        name: [math.log10(max(distance, 1e-6)) for distance in values]
        for name, values in found.items()
    }
    title = "Distance to the closest training row"
    return figures.curves(title, first["shares"], logs, ("share of rows", "log10 of distance"))


NEARER = (
    "Grey: real rows that were held out. A line that starts below it comes nearer to training rows "
    "than chance explains; one above it keeps further away."
)
GUESSING = (
    "Can an attacker tell training rows from other real rows? On the grey diagonal the attacker "
    "guesses; the further above it, the more is known."
)
ALONE = (
    "Independent rows are what a generator that draws every row on its own could reach at best: "
    "bursts and batches are lost there."
)

TIME_CURVES = (
    ("hour_of_day", "Hour of the day", ("hour, UTC", "share of rows")),
    ("day_of_week", "Day of the week", ("day, Monday first", "share of rows")),
    ("hour_of_week", "Hour of the week", ("hour, from Monday 0:00 UTC", "share of rows")),
    ("daily", "Rows a day", ("day of the period", "share of rows")),
    ("autocorrelation", "Autocorrelation of hourly counts", ("lag, hours", "autocorrelation")),
    ("gap_quantiles_s", "Time between rows", ("quantile, 1/50", "log10(1 + s)")),
)
"""Curves of time: entry of the notes, title, axes."""
INDEPENDENT = "independent rows"
"""The series that shows what a generator of independent rows would score at best."""


def _time_curves(curves: Mapping[str, Any]) -> list[str]:
    first = next(iter(curves.values()))
    plots = []
    for word, title, axes in TIME_CURVES:
        series = {"real": first["train"].get(word)}
        series |= {name: curve["synthetic"].get(word) for name, curve in curves.items()}
        series |= {INDEPENDENT: first.get("independent", {}).get(word)}
        if series["real"]:
            logs = {name: _logs(word, ys) for name, ys in series.items() if ys}
            start = 1 if word == "autocorrelation" else 0
            x = list(range(start, start + len(series["real"])))
            plots.append(figures.curves(title, x, logs, axes))
    return plots


def _logs(word: str, ys: Sequence[float]) -> list[float]:
    return [math.log10(1 + y) for y in ys] if word.endswith("_s") else list(ys)


def _section(
    title: str, named: Mapping[str, Certificate], plots: Sequence[str], note: str, *others: str
) -> str:
    """Return plots under their title, with how to read them; nothing where there are none."""
    if not plots:
        return ""
    key = figures.legend(["real", *named, *others])
    head = f"<h2>{escape(title)}</h2><p>{escape(note)}</p>"
    return f'{head}{key}<div class="grid">{"".join(plots)}</div>'


SECTIONS = (numbers, categories, associations, curves)
"""The drawn sections of a page, in their order."""
