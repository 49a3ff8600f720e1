"""Certificates as one HTML page.

The verdict stands first, then what failed, then every number beside its reference, then the figures
of the paper (4a, 4b, 5a, 5b) and those of time and privacy, drawn from the certificates alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from metrics.base import PARTS, Score
from metrics.certificate.certificate import Certificate
from metrics.errors import MetricError
from metrics.files import write_whole
from metrics.report import plots
from metrics.report.explanations import headline, meanings, part_words, self_tested
from metrics.report.export import as_csv, as_markdown
from metrics.report.page import page

Cards = Mapping[str, Certificate] | Sequence[Certificate]

PAPER = (
    "For comparison, the paper (arXiv 2410.07940, Table I) reports on its own records diff-CORR, "
    "DCR and diff-MLEF of .653, .143, 5.875 for TVAE; .658, .105, 10.464 for CTABGAN+; .011, .001, "
    ".058 for SMOTE; .036, .025, .826 for TabDDPM. Other records, other figures."
)

HEADLINES = ("wd", "jsd", "diff_corr", "c2st", "dcr", "dcr_ks", "diff_mlef", "batches")
"""Scores of the table that sets several certificates side by side."""

LOOKS = {"A": "good", "B": "good", "C": "bad", "F": "bad"}
"""Classes of the style sheet by grade; a part that is not graded has none."""


def write_html(path: str | Path, cards: Cards, *, title: str = "Certificates") -> Path:
    """Write one self-contained page for one or several certificates, and return its path.

    `cards` maps the name of a generator to its certificate (or lists certificates). The page has
    no scripts and asks nothing of the network; the file appears whole or not at all.
    """
    body = fragment(cards)
    return write_whole(path, page(title, body))


def write_report(folder: str | Path, cards: Cards, *, title: str = "Certificates") -> Path:
    """Write report.html, report.md and scores.csv into a folder, and return the page's path."""
    named = _named(cards)
    write_whole(Path(folder) / "report.md", as_markdown(named, title))
    write_whole(Path(folder) / "scores.csv", as_csv(named))
    return write_html(Path(folder) / "report.html", named, title=title)


def fragment(cards: Cards) -> str:
    """Return the page's content as one element, to embed in a page of `metrics.report.page`."""
    named = _named(cards)
    parts = [_verdict(name, card) for name, card in named.items()]
    if len(named) > 1:
        parts.append(_side_by_side(named))
    parts += [draw(named) for draw in plots.SECTIONS]
    parts += [_details(name, card) for name, card in named.items()]
    return f'<div class="mc">{"".join(parts)}</div>'


def _named(cards: Cards) -> dict[str, Certificate]:
    if not isinstance(cards, Mapping):
        cards = {f"synthetic {i + 1}": card for i, card in enumerate(cards)}
    if not cards or not all(isinstance(card, Certificate) for card in cards.values()):
        raise MetricError(
            "one or more certificates", f"{len(cards)} objects", "pass {name: certificate}"
        )
    return {str(name): card for name, card in cards.items()}


def _verdict(name: str, card: Certificate) -> str:
    colour = "good" if card.passed else "bad"
    rules = card.document["policy"]
    mode = "quick (subsampled)" if card.document["quick"] else "full"
    return (
        f'<section class="verdict" style="--v:var(--{colour})"><h2>{escape(name)}: '
        f"<b>{card.verdict.upper()}</b></h2><p>{escape(headline(card))}</p>"
        f"{_grades(card)}{_reasons(card)}<p>{escape(self_tested(card))}</p>"
        f"<p>Policy {escape(rules['name'])} {escape(rules['version'])}, {mode}, "
        f"{len(card.adjusted_p)} graded scores, each shown at level {rules['alpha']:g} over all of "
        f"them (Holm).</p>{_meanings(card)}"
        f"<p>Real rows: {escape(card.document['provenance']['origin'])}</p></section>"
    )


def _reasons(card: Certificate) -> str:
    """Return what failed: known-answer cases and whole parts first, then scores by part.

    Where a known-answer case was wrong, reasons of scores are folded away.
    """
    scores, groups = card.scores, dict[str, list[str]]()
    for id, reason in card.failures.items():
        part = scores[id].part if id in scores else "Known-answer cases and demands"
        words = f"<br><small>{escape(scores[id].note)}</small>" if id in scores else ""
        item = f"<li><code>{escape(id)}</code>: {escape(reason)}{words}</li>"
        groups.setdefault(part.capitalize(), []).append(item)
    lists = [f"<h3>{part}</h3><ul>{''.join(own)}</ul>" for part, own in groups.items()]
    if card.verdict == "void" and len(lists) > 1:
        word = "Further failures, which mean nothing here"
        lists[1:] = [f"<details><summary>{word}</summary>{''.join(lists[1:])}</details>"]
    return f"<p>What failed:</p>{''.join(lists)}" if lists else ""


def _grades(card: Certificate) -> str:
    rows = "".join(
        f'<li><b class="{LOOKS.get(grade, "")}">{escape(part)} {grade}</b>: '
        f"{part_words(card, part)}</li>"
        for part, grade in card.grades.items()
    )
    return f'<ul class="grades">{rows}</ul>'


def _meanings(card: Certificate) -> str:
    """Return what the verdict means to each kind of reader."""
    rows = "".join(
        f"<dt>{escape(reader)}</dt><dd>{_marked(words)}</dd>"
        for reader, words in meanings(card).items()
    )
    return f"<dl>{rows}</dl>"


def _marked(text: str) -> str:
    """Return escaped text, what stands between backticks as code."""
    pieces = [escape(piece) for piece in text.split("`")]
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))


def _side_by_side(named: Mapping[str, Certificate]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in named)
    rows = []
    for id in HEADLINES:
        cells = []
        for card in named.values():
            score = card.scores.get(id)
            word = "not measured"
            if score is not None:
                reference = _number(score.real_vs_real)
                word = f"{_number(score.value)} <small>(real vs real {reference})</small>"
            cells.append(f"<td>{word}</td>")
        rows.append(f"<tr><td><code>{id}</code></td>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table><caption>Side by side</caption><thead><tr><th>score</th>{head}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div><p>{escape(PAPER)}</p>"
    )


def _details(name: str, card: Certificate) -> str:
    parts = [f"<h2>{escape(name)}: every number beside its real-vs-real reference</h2>"]
    parts.append(
        "<p>The real-vs-real reference is the same metric of real rows: what a perfect generator "
        "scores. The bound is the upper confidence bound of the excess over it, and must not pass "
        "the margin; p is the chance of seeing so little if the excess reached the margin, "
        "corrected for the number of graded scores. A: within half the margin; B: within it; "
        "C: within it, but not shown; "
        "F: beyond it.</p>"
    )
    scores = card.scores.values()
    for part in PARTS:
        own = sorted((s for s in scores if s.part == part), key=lambda s: s.passed is not False)
        if own:
            parts.append(_score_table(part, card.grades[part], own, card.adjusted_p))
    parts.append(_provenance(card))
    return "".join(parts)


def _score_table(
    part: str, grade: str, scores: Sequence[Score], adjusted: Mapping[str, float]
) -> str:
    rows = []
    for s in scores:
        look = ' class="bad"' if s.passed is False or s.grade == "F" else ""
        numbers = (s.value, s.low, s.high, s.real_vs_real, s.bound)
        value, low, high, reference, bound = (_number(x) for x in numbers)
        margin = "informs" if s.margin is None else _number(s.margin)
        p = _chance(adjusted[s.id]) if s.id in adjusted else ""
        rows.append(
            f"<tr><td><code>{escape(s.id)}</code></td><td{look}>{value}</td><td>{low} to {high}"
            f"</td><td>{reference}</td><td{look}>{bound}</td><td>{margin}</td><td>{p}</td>"
            f"<td{look}>{s.grade}</td>"
            f'<td>{s.n:,}</td><td class="note">{escape(s.note)}</td></tr>'
        )
    heads = (
        "score",
        "value",
        "interval",
        "real vs real",
        "bound",
        "margin",
        "p",
        "grade",
        "rows",
        "meaning",
    )
    head = "".join(f"<th>{h}</th>" for h in heads[:-1]) + f'<th class="note">{heads[-1]}</th>'
    return (
        f'<div class="wide"><table><caption>{part} (grade {grade})</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _chance(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else "&lt;.0001"


def _provenance(card: Certificate) -> str:
    document = card.document
    entries = {f"SHA-256 of {k}": v or "not given" for k, v in document["sha256"].items()}
    entries |= {f"rows of {k}": f"{v:,}" for k, v in document["sizes"].items()}
    entries |= {"seed": document["seed"], "issued": document["times"]["issued"], "seal": card.seal}
    entries |= {f"self-test: {k}": v["reason"] for k, v in document["self_test"].items()}
    entries |= {f"drawn: {k}": v for k, v in (document["provenance"]["drawn"] or {}).items()}
    if card.signature is not None:
        entries |= {"signed by (ed25519)": card.signature["public_key"]}
    entries |= {"CPU seconds": f"{sum(document['times']['cpu_s'].values()):.0f}"}
    entries |= document["provenance"]["software"]
    rows = "".join(
        f'<tr><td>{escape(str(k))}</td><td class="note"><code>{escape(str(v))}</code></td></tr>'
        for k, v in entries.items()
    )
    return (
        f'<div class="wide"><table><caption>Provenance</caption><tbody>{rows}</tbody></table></div>'
    )


def _number(x: float) -> str:
    return f"{x + 0.0:.4f}" if math.isfinite(x) else "none"
