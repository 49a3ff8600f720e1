"""Every adapter runs with its library; the page on RL libraries names each.

A library is installed into an environment of its own under build/clients: first what the lines
`pip install ...` of the adapter's docstring bring, then the packages of the present environment. So
releases that clash with ours (an older gymnasium, numpy or pandas) change nothing here.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ADAPTERS = sorted((ROOT / "examples" / "adapters").glob("*.py"))
PAGE = (ROOT / "docs" / "guide" / "adapters.md").read_text()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
OURS = "panda-grid-gym"


def installs(adapter: Path) -> list[list[str]]:
    """Arguments of each `pip install` of the docstring; our own extras by what they bring."""
    found = []
    for line in adapter.read_text().split('"""')[1].splitlines():
        if not line.startswith("    pip install "):
            continue
        words = shlex.split(line, comments=True)[2:]
        ours = [word for word in words if word.startswith(OURS)]
        extras = [word.removeprefix(OURS).strip("[]") for word in ours]
        brought = [need for extra in extras if extra for need in EXTRAS[extra]]
        found.append([word for word in words if word not in ours] + brought)
    return [words for words in found if words]


def python_of(adapter: Path) -> Path:
    """Return the interpreter of the adapter's environment, which is made where it is missing."""
    folder = ROOT / "build" / "clients" / adapter.stem
    python, done = folder / "bin" / "python", folder / "installed.txt"
    lines = installs(adapter)
    if done.is_file() and done.read_text() == repr(lines):
        return python
    venv.create(folder, clear=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = folder / "lib" / version / "site-packages" / "parent.pth"
    beside.write_text(sysconfig.get_path("purelib"))
    for words in lines:
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
        ran = subprocess.run(pip, capture_output=True, text=True, timeout=1200, check=False)
        assert ran.returncode == 0, ran.stderr
    done.write_text(repr(lines))
    return python


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_says_how_to_install_and_is_on_the_page(adapter: Path) -> None:
    source = adapter.read_text()
    assert installs(adapter)
    assert f"examples/adapters/{adapter.name}" in source
    assert f"`{adapter.name}`" in PAGE
    for word in (word for words in installs(adapter) for word in words if "==" in word):
        if not word.startswith(("torch=", "numpy=", "gymnasium=", "psutil=", "moviepy=")):
            assert word.partition("==")[2] in PAGE, f"the page does not name {word}"
    compile(source, str(adapter), "exec")


@pytest.mark.long
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_runs(adapter: Path, tmp_path: Path) -> None:
    python = python_of(adapter)
    ran = subprocess.run(
        [python, str(adapter)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
