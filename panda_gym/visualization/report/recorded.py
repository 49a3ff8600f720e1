"""Read and write the tables of long scripts that a report shows.

A script writes its table into a folder. The report shows the table of the run's own folder, or the
one that ships with the package; both name the command that made them.
"""

from __future__ import annotations

import csv as csv_format
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from panda_gym.benchmarking.render import csv, markdown_table
from panda_gym.errors import InputError
from panda_gym.files import whole_file
from panda_gym.html import html_table

SHIPPED: Final = Path(__file__).parent / "shipped"
"""NAME.csv, as a script wrote it."""

Rows = Sequence[Sequence[str]]


def write_table(folder: str | Path, rows: Rows) -> str:
    """Write table.csv and table.md into a folder, and return the Markdown; the first row is the
    head."""
    for ending, text in (("csv", csv(rows[0], rows[1:])), ("md", to_markdown(rows))):
        with whole_file(Path(folder) / f"table.{ending}") as aside:
            aside.write_text(text, encoding="utf-8", newline="")
    return to_markdown(rows)


def read_table(path: str | Path) -> list[list[str]]:
    """Rows of a table, the head first; InputError if there are none or their lengths differ."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv_format.reader(file))
    if not rows or len({len(row) for row in rows}) != 1:
        raise InputError("rows of one length", str(path), "make the table again, or remove it")
    return rows


def to_markdown(rows: Rows) -> str:
    """Return the table as Markdown; cells that are **bold** stay so."""
    head, *body = rows
    return markdown_table(head, body) + "\n"


def to_html(rows: Rows, caption: str) -> str:
    """Return the table as HTML, every cell escaped; cells that are **bold** stay so."""
    head, *body = rows
    return html_table(caption, head, [[_cell(cell) for cell in row] for row in body])


def _cell(cell: str) -> str:
    bold = len(cell) > 4 and cell.startswith("**") and cell.endswith("**")
    return f"<b>{escape(cell[2:-2])}</b>" if bold else escape(cell)
