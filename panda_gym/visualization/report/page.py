"""The page around the sections: head, style, contents; knows HTML, never a figure's meaning."""

from __future__ import annotations

from html import escape
from pathlib import Path

from metrics.report.html import PAGE_STYLE
from metrics.report.html import STYLE as CERTIFICATE_STYLE
from panda_gym.errors import InputError
from panda_gym.files import whole_file
from panda_gym.visualization.report.folder import RunFolder
from panda_gym.visualization.report.sections import SECTIONS, Section

STYLE = """
main{max-width:74rem;margin:auto;padding:1rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3em 1.2em;padding:0}
.source{color:var(--mute);font-size:.9em;border-left:.2em solid var(--soft);padding-left:.7em}
.stand-in{border:1px solid var(--s5);padding:.5em .9em}
"""


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
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="data:,"><title>PandaGrid: report of a run</title>'
        f"<style>{PAGE_STYLE}{CERTIFICATE_STYLE}{STYLE}</style></head>"
        '<body class="mc"><main><h1>From job records to a trained scheduler</h1>'
        f"<nav><ul>{links}</ul></nav>{body}</main></body></html>\n"
    )


def _section(section: Section) -> str:
    source = f'<p class="source">Source: {section.source}</p>' if section.source else ""
    return (
        f'<section id="{section.anchor}"><h2>{escape(section.title)}</h2>{section.body}{source}'
        "</section>"
    )
