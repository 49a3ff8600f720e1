"""The command itself: version, help and shell completion."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import panda_gym
from panda_gym.cli.app import VERBS, build


def test_version_is_that_of_the_package() -> None:
    ran = CliRunner().invoke(build(), ["--version"])
    assert ran.exit_code == 0
    assert ran.output.strip() == f"panda-grid {panda_gym.__version__}"


@pytest.mark.parametrize("arguments", [["-h"], ["--help"]])
def test_help_names_every_verb_and_completion(arguments: list[str]) -> None:
    ran = CliRunner().invoke(build(), arguments)
    assert ran.exit_code == 0
    assert all(verb in ran.output for verb in (*VERBS, "--install-completion"))


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_short_help(verb: str) -> None:
    ran = CliRunner().invoke(build(), [verb, "-h"])
    assert ran.exit_code == 0
    assert f"panda-grid {verb}" in ran.output


SWF = (
    "1 0 -1 60 1 -1 -1 -1 -1 -1 1 1 1 -1 1 1 -1 -1\n2 5 -1 -1 1 -1 -1 -1 -1 -1 1 1 1 -1 1 1 -1 -1\n"
)


def command(*words: object, program: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, after `program`."""
    code = f"{program}\nimport sys\nfrom panda_gym.cli.app import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False
    )


def test_a_trace_is_replayed_once_and_what_was_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.swf").write_text("; MaxJobs: 9\n" + SWF)
    site = {"sites": [{"name": "here", "cores": 1, "power": 10.0}]}
    (tmp_path / "site.json").write_text(json.dumps(site))
    options = ("--load", 0, "--competing", 0, "--scale", 1, "--policy", "fastest", "--json")
    ran = command(
        "simulate", "--stream", tmp_path / "log.swf", "--platform", tmp_path / "site.json", *options
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["jobs"] == 1
    assert "log.swf: read 1 of 2 lines; dropped: run time unknown (1); assumed: none" in ran.stderr
    assert "warning: " in ran.stderr
    assert "says MaxJobs: 9, but it has 2 jobs" in ran.stderr


@pytest.mark.parametrize("jobs", ["0", "-3", "some", "1.5"])
def test_a_wrong_number_of_jobs_is_one_line(jobs: str) -> None:
    ran = command("simulate", f"--jobs={jobs}")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "--jobs of at least 1, or all" in ran.stderr


def test_a_package_that_does_not_import_is_one_line() -> None:
    ran = command("simulate", "--jobs", 1, program="import sys; sys.modules['numba'] = None")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("error: needed the package numba; got ")
    ran = command("doctor", program="import sys; sys.modules['numba'] = None")
    assert "numba" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("platform", ["small15", "tiny4"])
def test_every_shipped_platform_works_at_its_default_scale(platform: str) -> None:
    ran = command("simulate", "--platform", platform, "--jobs", 20, "--policy", "fastest", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["jobs"] == 20
