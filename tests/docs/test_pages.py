"""Every Python block of the site, of the README and of the environments' docstrings runs.

The blocks of a page run in order, in one namespace and in an empty folder. Two comments above a
fence change that: `% long` leaves the page to `make long`, `% not run: REASON` skips one block.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path
from typing import Final

import pytest

import panda_gym

ROOT: Final = Path(__file__).resolve().parents[2]
FENCE: Final = re.compile(
    r"(?:^% (?P<note>[^\n]*)\n)?^```(?P<kind>python|bash)\n(?P<code>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


def blocks(text: str, kind: str) -> list[str]:
    """Code of a kind that is to be run."""
    found = (match for match in FENCE.finditer(text) if match["kind"] == kind)
    return [one["code"] for one in found if not (one["note"] or "").startswith("not run")]


def pages(kind: str) -> list:
    """Pages that hold such blocks, as parameters of a test."""
    found = sorted((ROOT / "docs").rglob("*.md"))
    found = [path for path in found if blocks(path.read_text(), kind)]
    return [
        pytest.param(
            path,
            id=str(path.relative_to(ROOT / "docs")),
            marks=[pytest.mark.long] if kind == "bash" or "\n% long\n" in path.read_text() else [],
        )
        for path in found
    ]


def run(codes: list[str], name: str) -> None:
    """Run the codes one after another in a module of their own, as dataclasses need one."""
    module = sys.modules["page"] = types.ModuleType("page")
    for number, code in enumerate(codes):
        exec(compile(code, f"{name} block {number}", "exec"), vars(module))


def test_there_are_pages() -> None:
    assert len(pages("python")) >= 8
    assert len(pages("bash")) >= 3


@pytest.mark.parametrize("page", pages("python"))
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(blocks(page.read_text(), "python"), page.name)


@pytest.mark.long
def test_the_python_blocks_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    codes = blocks((ROOT / "README.md").read_text(), "python")
    assert len(codes) == 3
    run(codes, "README.md")


@pytest.mark.parametrize("page", pages("bash"))
def test_bash_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = "from panda_gym.cli import main; main()"
    for code in blocks(page.read_text(), "bash"):
        for line in filter(None, code.replace("\\\n", " ").splitlines()):
            program, *arguments = shlex.split(line)
            assert program == "panda-grid"
            ran = subprocess.run(
                [sys.executable, "-c", command, *arguments],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            assert ran.returncode == 0, f"{line}\n{ran.stderr[-2000:]}"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "docs" / "quick_start.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert not any(cell["outputs"] for cell in cells)
    run(["".join(cell["source"]) for cell in cells], "quick_start.ipynb")


def docstring(name: str) -> str:
    module, _, attribute = panda_gym.ENVIRONMENTS[name]["entry_point"].partition(":")
    return inspect.getdoc(getattr(importlib.import_module(module), attribute)) or ""


@pytest.mark.parametrize("name", sorted(panda_gym.ENVIRONMENTS))
def test_the_example_of_an_environment_runs(name: str) -> None:
    for code in blocks(docstring(name), "python"):
        run([code], name)
