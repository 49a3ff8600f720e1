"""Certificates as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

from metrics.base import PARTS, Score
from metrics.certificate.certificate import Certificate
from metrics.report.explanations import headline, meanings, part_words, self_tested

COLUMNS = (
    "table", "part", "score", "value", "low", "high", "real_vs_real", "bound", "margin",
    "adjusted_p", "grade", "rows", "better", "note",
)  # fmt: skip
"""Columns of the CSV."""
FORMULA = ("=", "+", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""


def as_csv(cards: Mapping[str, Certificate]) -> str:
    """Return one line for each score of each certificate, columns `COLUMNS`, numbers in full."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for name, card in cards.items():
        p = card.adjusted_p
        for s in card.scores.values():
            numbers = (s.value, s.low, s.high, s.real_vs_real, s.bound, s.margin, p.get(s.id))
            cells = ["" if x is None or not math.isfinite(x) else repr(float(x)) for x in numbers]
            row = [name, s.part, s.id, *cells, s.grade, s.n, s.better, s.note]
            lines.writerow([_inert(cell) for cell in row])
    return text.getvalue()


def as_markdown(cards: Mapping[str, Certificate], title: str) -> str:
    """Return verdicts, failures, what they mean, and every number beside its reference."""
    parts = [f"# {_text(title)}"]
    for name, card in cards.items():
        parts += [_verdict(name, card), *(_table(card, part) for part in PARTS)]
        parts.append(f"SHA-256 of the certificate: `{card.seal}`")
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(name: str, card: Certificate) -> str:
    lines = [f"## {_text(name)}: {card.verdict.upper()}", headline(card)]
    if card.failures:
        lines.append("\n".join(f"- `{_code(i)}`: {_text(w)}" for i, w in card.failures.items()))
    grades = "\n".join(
        f"- {part}: {g}, {part_words(card, part)}" for part, g in card.grades.items()
    )
    lines += [
        grades,
        self_tested(card),
        *(f"**{reader}.** {_text(w)}" for reader, w in meanings(card).items()),
    ]
    lines.append(f"Real rows: {_text(card.document['provenance']['origin'])}")
    return "\n\n".join(lines)


def _table(card: Certificate, part: str) -> str:
    own = sorted(
        (s for s in card.scores.values() if s.part == part), key=lambda s: s.passed is not False
    )
    if not own:
        return ""
    head = "| score | value | interval | real against real | bound | margin | grade | rows |"
    rows = [_row(score) for score in own]
    rule = "|---|---|---|---|---|---|---|---|"
    return "\n".join([f"### {part} (grade {card.grades[part]})", "", head, rule, *rows])


def _row(s: Score) -> str:
    value, low, high, reference, bound = map(
        _number, (s.value, s.low, s.high, s.real_vs_real, s.bound)
    )
    margin = "informs" if s.margin is None else _number(s.margin)
    cells = (value, f"{low} to {high}", reference, bound, margin, s.grade, f"{s.n:,}")
    return f"| `{_code(s.id)}` | " + " | ".join(cells) + " |"


def _number(x: float) -> str:
    return f"{x + 0.0:.4f}" if math.isfinite(x) else "none"


def _text(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    marks = "\\`*_[]<>#|&!"
    return "".join(f"\\{c}" if c in marks else c for c in " ".join(str(text).split()))


def _code(text: str) -> str:
    return " ".join(str(text).replace("`", "'").replace("|", "/").split())


def _inert(cell: object) -> object:
    """Return a cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
