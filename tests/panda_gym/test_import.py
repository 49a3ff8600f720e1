"""Importing the package loads gymnasium and numpy only, and every public name resolves."""

from __future__ import annotations

import subprocess
import sys

import gymnasium
import pytest

import panda_gym

HEAVY = ("pandas", "torch", "catboost", "numba", "stable_baselines3", "sklearn", "pyarrow")


def test_the_import_loads_nothing_heavy() -> None:
    program = "import sys, panda_gym; print(' '.join(sorted(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("name", panda_gym.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(panda_gym, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = panda_gym.no_such_name


@pytest.mark.parametrize("id", panda_gym.ENVIRONMENTS)
def test_every_environment_is_registered(id: str) -> None:
    assert id in gymnasium.registry
