"""The command itself: version, help and shell completion."""

from __future__ import annotations

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
