"""Write the report of a run: one page with a section for each part of its folder."""

from __future__ import annotations

from html import escape
from pathlib import Path

from panda_gym.errors import InputError
from panda_gym.files import whole_file
from panda_gym.html import page
from panda_gym.visualization.report.folder import RunFolder
from panda_gym.visualization.report.sections import SECTIONS, Section


def write_report(folder: str | Path) -> Path:
    """Write `report.html` of a run's folder from what lies in it, and return its path.

    The page has no scripts and asks nothing of the network.

    Raises:
        InputError: nothing of a run lies in the folder.
    """
    run = RunFolder(Path(folder))
    sections = [made for make in SECTIONS if (made := make(run)) is not None]
    if not sections:
        raise InputError(
            f"the folder of a run at {run.root}",
            "none of its parts",
            "run `panda-grid demo`, or name the folder of an earlier run",
        )
    with whole_file(run.report) as aside:
        aside.write_text(_page(sections), encoding="utf-8")
    return run.report


def _page(sections: list[Section]) -> str:
    links = "".join(f'<li><a href="#{s.anchor}">{escape(s.title)}</a></li>' for s in sections)
    body = "".join(_section(section) for section in sections)
    return page(
        "PandaGrid: report of a run",
        f"<nav><ul>{links}</ul></nav>{body}",
        heading="From job records to a trained scheduler",
    )


def _section(section: Section) -> str:
    source = f'<p class="source">Source: {section.source}</p>' if section.source else ""
    return (
        f'<section id="{section.anchor}"><h2>{escape(section.title)}</h2>{section.body}{source}'
        "</section>"
    )
