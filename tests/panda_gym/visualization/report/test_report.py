"""The report is one self-contained page made from a run's folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from panda_gym.benchmarking import BenchmarkTable, Row
from panda_gym.benchmarking.measures import MEASURES
from panda_gym.errors import InputError
from panda_gym.surrogate import Surrogate
from panda_gym.visualization.report import RunFolder, write_report
from panda_gym.visualization.report.intervals import drawing, standalone

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def table(policy: str = "first") -> BenchmarkTable:
    rows = tuple(
        Row(name, "stream", seed, {m.name: value + seed / 10 for m in MEASURES})
        for name, value in ((policy, 1.0), ("second", 2.0))
        for seed in range(4)
    )
    return BenchmarkTable(rows, "second")


@pytest.fixture
def run(sealed: Surrogate, tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path)
    folder.settings.write_text(json.dumps({"command": "panda-grid demo", "rows": 1}))
    step = {"name": "gross", "why": "all <b>rows</b>", "rows": 12345}
    folder.funnel.write_text(json.dumps({"steps": [step], "notes": {"assumed": 3}}))
    shutil.copytree(sealed.folder, folder.surrogate("smote"))
    folder.benchmark.mkdir()
    table("<script>alert(1)</script>").to_json(folder.benchmark / "benchmark.json")
    return folder


def test_every_part_of_the_run_is_on_the_page(run: RunFolder) -> None:
    page = write_report(run.root).read_text()
    for part in ("summary", "records", "certificates", "benchmark", "platform"):
        assert f'id="{part}"' in page
    assert "150 queue names of site_info.json" in page
    assert "12,345" in page
    assert "stand-in" in page


def test_the_page_has_no_scripts_and_no_addresses_to_load(run: RunFolder) -> None:
    page = write_report(run.root).read_text()
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)


def test_what_comes_from_files_is_escaped(run: RunFolder) -> None:
    page = write_report(run.root).read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "all &lt;b&gt;rows&lt;/b&gt;" in page


def test_every_section_names_its_source(run: RunFolder) -> None:
    page = write_report(run.root).read_text()
    assert page.count('class="source"') == page.count("<section id=")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="panda-grid demo"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_intervals_stand_best_first() -> None:
    drawn = drawing(table(), "mean_slowdown", "stream")
    assert drawn.index("first") < drawn.index("second")


def test_a_drawing_is_a_picture_of_its_own() -> None:
    tree = ElementTree.fromstring(standalone(table("<first>"), "mean_slowdown", "stream"))
    assert tree.tag.endswith("svg")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_opens_the_page_without_errors(run: RunFolder, tmp_path: Path) -> None:
    page = write_report(run.root)
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        f"--enable-logging=stderr --user-data-dir={tmp_path / 'profile'} --dump-dom"
    )
    ran = subprocess.run(
        [str(CHROMIUM), *flags.split(), page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "From job records to a trained scheduler" in ran.stdout
    assert "CONSOLE" not in ran.stderr
