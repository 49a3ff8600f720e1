"""Commands that the README and the site name exist, with the options that they give them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from panda_gym.cli.app import build

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"panda-grid ([a-z]+)((?: [^\n`#]*)?)")


def options(command: Any) -> set[str]:
    """Every option of a command and of its subcommands."""
    own = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return own.union(*(options(sub) for sub in getattr(command, "commands", {}).values()))


def named(page: Path) -> list[tuple[str, str]]:
    """Pairs of a verb and an option (or nothing) that a page names."""
    lines = page.read_text().replace("\\\n", " ")
    found = []
    for verb, rest in COMMAND.findall(lines):
        found += [(verb, name) for name in re.findall(r"(?<!\S)--[a-z][a-z-]+", rest)] or [
            (verb, "")
        ]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    verbs = get_command(build()).commands  # type: ignore[attr-defined]
    for verb, name in named(page):
        assert verb in verbs
        assert not verbs[verb].hidden, f"{verb} is an old name"
        assert not name or name in options(verbs[verb]), f"{verb} has no option {name}"


def test_pages_name_commands() -> None:
    assert sum(len(named(page)) for page in PAGES) > 50
