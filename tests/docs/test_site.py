"""The site builds without a warning, its links lead somewhere, and its structure is complete."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import panda_gym

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def load_check():
    spec = importlib.util.spec_from_file_location("check_links", DOCS / "check_links.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html"]
    command += ["-d", str(tmp_path / "doctrees"), str(DOCS), str(tmp_path / "html")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert load_check().broken_links(tmp_path / "html") == []


@pytest.mark.parametrize("name", sorted(panda_gym.ENVIRONMENTS))
def test_every_environment_has_a_page(name: str) -> None:
    pages = [path.read_text() for path in (DOCS / "environments").glob("*.md")]
    assert any(f"```{{environment}} {name}\n" in text for text in pages)


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b.html#here">x</a><a href="b.html#gone">y</a>')
    (tmp_path / "b.html").write_text('<p id="here"></p><img src="none.png">')
    found = load_check().broken_links(tmp_path)
    assert found == ["a.html: b.html#gone", "b.html: none.png"]


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = set()
    for index in DOCS.rglob("index.md"):
        tree = re.search(r"```\{toctree\}\n(.*?)```", index.read_text(), flags=re.DOTALL)
        assert tree or index.parent.name == "background", index
        entries = (tree.group(1) if tree else "").splitlines()
        names = [re.sub(r".*<(.*)>", r"\1", x) for x in entries if x and x[0] != ":"]
        listed |= {(index.parent / name).with_suffix(".md") for name in names}
    assert set(DOCS.rglob("*.md")) - listed == {DOCS / "index.md"}


def test_files_that_pages_name_exist() -> None:
    texts = {path: path.read_text() for path in [*DOCS.rglob("*.md"), ROOT / "README.md"]}
    named = re.compile(r"\b(?:panda_gym|generators|metrics|tests|scripts|examples)/[\w./]+\.py")
    for path, text in texts.items():
        missing = [name for name in named.findall(text) if not (ROOT / name).exists()]
        assert missing == [], path


def test_every_page_of_the_api_names_a_package_that_exists() -> None:
    pages = [path.read_text() for path in (DOCS / "api").glob("*.md") if path.stem != "index"]
    modules = [re.findall(r"automodule:: ([\w.]+)", page) for page in pages]
    assert all(modules)
    assert all(importlib.util.find_spec(module) for page in modules for module in page)


SECTIONS = [
    "Description",
    "Action space",
    "Observation space",
    "Reward",
    "Cost",
    "Episode end",
    "Reset options",
    "Info",
    "Arguments",
    "Example",
    "Version history",
]


@pytest.mark.parametrize("name", sorted(panda_gym.ENVIRONMENTS))
def test_the_docstring_of_an_environment_has_every_section(name: str) -> None:
    module, _, attribute = panda_gym.ENVIRONMENTS[name]["entry_point"].partition(":")
    text = inspect.getdoc(getattr(importlib.import_module(module), attribute)) or ""
    assert re.findall(r"^## (.*)", text, flags=re.MULTILINE) == SECTIONS
    assert text.partition("\n")[0].endswith(".")
