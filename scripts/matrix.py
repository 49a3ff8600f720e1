"""Run the contract tests with the lowest or the newest allowed versions of direct dependencies.

    python scripts/matrix.py lowest
    python scripts/matrix.py newest --torch torch==2.13.0

`uv` resolves the base dependencies of pyproject.toml, installs them into an empty virtual
environment under build/matrix and pytest runs tests/contracts there. With --torch that requirement
is installed first, by pip and alone: so a machine without a GPU can choose a CPU build.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Annotated, Final

import typer

ROOT: Final = Path(__file__).resolve().parents[1]
STRATEGY: Final = {"lowest": "lowest-direct", "newest": "highest"}
"""What uv calls each of the two resolutions."""

TEST_TOOLS: Final = ("hypothesis", "pytest")
TORCH_FAMILY: Final = ("cuda-", "nvidia-", "torch==", "triton==")
"""First letters of what a torch that is already installed brings or does without."""


def run(*command: str | Path, **environment: str) -> None:
    """Run a command in the repository; end with its exit code if it fails."""
    print("+", *command, flush=True)
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    if ran.returncode:
        raise typer.Exit(ran.returncode)


def resolve(resolution: str, folder: Path, torch: str | None) -> Path:
    """Write and return a file of pinned requirements for the base dependencies."""
    pins, held = folder / "requirements.txt", folder / "held.txt"
    held.write_text(f"{torch}\n" if torch else "")
    uv = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    run(*uv, "--resolution", STRATEGY[resolution], "-c", held, "-o", pins, "pyproject.toml")
    if torch:
        lines = pins.read_text().splitlines(keepends=True)
        pins.write_text("".join(x for x in lines if not x.startswith(TORCH_FAMILY)))
    return pins


def main(
    resolution: Annotated[str, typer.Argument(help="lowest or newest")],
    torch: Annotated[str, typer.Option(help="Requirement installed first, by pip.")] = "",
) -> None:
    """Install one resolution and run the contract tests in it."""
    if resolution not in STRATEGY:
        raise typer.BadParameter(f"needed one of {sorted(STRATEGY)}; got {resolution!r}")
    folder = ROOT / "build" / "matrix" / resolution
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"
    if torch:
        run(python, "-m", "pip", "install", "--quiet", torch)
    pins = resolve(resolution, folder, torch or None)
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    run(*install, "-r", pins, *TEST_TOOLS)
    run(python, "-m", "pip", "list", "--format", "freeze")
    # Old releases warn about one another, which is not what these tests are about.
    tests = ("tests/contracts", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default")
    run(python, "-m", "pytest", *tests, PYTHONPATH=str(ROOT))


if __name__ == "__main__":
    typer.run(main)
