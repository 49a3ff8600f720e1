"""Tables of scripts that run longer than a demonstration; knows rows and cells, never figures.

A script writes its table into a folder; the report shows that of the run's own folder, or else the
one that ships, which the named command made.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Final

from panda_gym.errors import InputError
from panda_gym.files import whole_file

SHIPPED: Final = Path(__file__).parent / "shipped"
"""NAME.csv, as a script wrote it."""

Rows = Sequence[Sequence[str]]


def write_table(folder: str | Path, rows: Rows) -> str:
    """Write table.csv and table.md into a folder, and return the Markdown; the first row is the
    head."""
    for ending, text in (("csv", _csv(rows)), ("md", to_markdown(rows))):
        with whole_file(Path(folder) / f"table.{ending}") as aside:
            aside.write_text(text, encoding="utf-8", newline="")
    return to_markdown(rows)


def read_table(path: str | Path) -> list[list[str]]:
    """Rows of a table, the head first; InputError if there are none or their lengths differ."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or len({len(row) for row in rows}) != 1:
        raise InputError("rows of one length", str(path), "make the table again, or remove it")
    return rows


def to_markdown(rows: Rows) -> str:
    """The table as Markdown; cells that are **bold** stay so."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def to_html(rows: Rows, caption: str) -> str:
    """The table as HTML, every cell escaped; cells that are **bold** stay so."""
    head, *body = rows
    lines = "".join(f"<tr>{_cells(row)}</tr>" for row in body)
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cells(row: Iterable[str]) -> str:
    return "".join(
        f"<td><b>{escape(cell[2:-2])}</b></td>"
        if len(cell) > 4 and cell.startswith("**") and cell.endswith("**")
        else f"<td>{escape(cell)}</td>"
        for cell in row
    )


def _csv(rows: Rows) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
