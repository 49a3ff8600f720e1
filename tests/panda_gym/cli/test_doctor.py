"""`panda-grid doctor` imports what it vouches for and lists every fault, not only the first."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import panda_gym
from panda_gym.cli.app import build
from panda_gym.surrogate import surrogate
from panda_gym.surrogate.surrogate import find


def examine() -> tuple[int, list[str]]:
    """Run the verb; return its exit code and the problems."""
    ran = CliRunner().invoke(build(), ["doctor", "--json"], catch_exceptions=False)
    return ran.exit_code, json.loads(ran.stdout)["problems"]


def test_a_whole_installation_has_no_problems() -> None:
    assert examine() == (0, [])


def test_packages_that_do_not_import_and_an_overwritten_package_are_all_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setitem(sys.modules, "imblearn", None)
    monkeypatch.delattr(panda_gym, "ENVIRONMENTS")
    code, problems = examine()
    assert code == 1
    for name in ("numba", "imbalanced-learn", "panda_gym/__init__.py"):
        assert any(name in problem for problem in problems), (name, problems)


def test_a_changed_surrogate_is_listed_and_nothing_advises_to_seal_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "default"
    shutil.copytree(find("default"), copy)
    card = copy / "certificate.json"
    card.write_text(card.read_text().replace('"passed"', '"pAssed"', 1) + " ")
    monkeypatch.setattr(surrogate, "SHIPPED", tmp_path)
    code, problems = examine()
    assert code == 1
    assert any("certificate.json" in problem for problem in problems)
    assert not any(
        "seal it again" in problem or "panda-grid certify" in problem for problem in problems
    )
