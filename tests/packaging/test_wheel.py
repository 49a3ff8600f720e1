"""The wheel works without the repository, in an empty environment with only base dependencies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICK_START = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)

OPEN_BOTH = """
import panda_gym
from panda_gym.surrogate import surrogate_names

assert {"default", "tasks"} <= set(surrogate_names()), surrogate_names()
for name in ("default", "tasks"):
    surrogate = panda_gym.Surrogate.open(name)
    assert surrogate.certificate.passed
    assert len(surrogate.first_week()) > 0
print("both open from", panda_gym.__file__)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that sees no package of this repository; return what it printed."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    ran = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}"
    return ran.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder outside the repository with a virtual environment in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", ROOT)
    run(*build, cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    pins = ROOT / "constraints.txt"
    torch = re.search(r"^torch==\S+", pins.read_text(), flags=re.MULTILINE)
    assert torch
    pip = (folder / "venv/bin/python", "-m", "pip", "install", "--quiet")
    run(*pip, torch.group(), cwd=folder)
    run(*pip, "-c", pins, wheel, cwd=folder)
    return folder


@pytest.mark.long
def test_pip_finds_no_broken_requirement(installed: Path) -> None:
    run(installed / "venv/bin/python", "-m", "pip", "check", cwd=installed)


@pytest.mark.long
@pytest.mark.parametrize("code", [QUICK_START.group(1) if QUICK_START else "", OPEN_BOTH])
def test_code_runs_from_the_wheel(installed: Path, code: str) -> None:
    assert code
    assert run(installed / "venv/bin/python", "-c", code, cwd=installed).strip()


@pytest.mark.long
@pytest.mark.parametrize("arguments", [("doctor",), ("--version",), ("-h",)])
def test_the_command_runs_from_the_wheel(installed: Path, arguments: tuple[str, ...]) -> None:
    assert run(installed / "venv/bin/panda-grid", *arguments, cwd=installed).strip()
