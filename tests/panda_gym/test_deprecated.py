"""Every old name works, and says its new name and the release in which it goes."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from panda_gym import deprecated
from panda_gym.deprecated import (
    ALIASES,
    MOVED,
    NAMES,
    REMOVED_IN,
    VALUES,
    old_keywords,
    renamed,
    renamed_value,
)


def imported_anew(path: str) -> ModuleType:
    """Import a path as a process does that has not met it before."""
    sys.modules.pop(path, None)
    return importlib.import_module(path)


@pytest.mark.parametrize("old", MOVED)
def test_an_old_module_path_is_the_new_module(old: str) -> None:
    parent = old.rpartition(".")[0]
    if parent in MOVED:
        with pytest.warns(FutureWarning):
            imported_anew(parent)
    with pytest.warns(FutureWarning) as caught:
        found = imported_anew(old)
    assert found is importlib.import_module(MOVED[old])
    said = [str(one.message) for one in caught]
    assert f"{old} is now {MOVED[old]}; the old name is removed in release {REMOVED_IN}" in said
    assert caught[0].filename == __file__


@pytest.mark.parametrize("old", MOVED)
def test_a_module_keeps_its_own_name_and_spec(old: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        found = imported_anew(old)
    assert found.__name__ == MOVED[old]
    assert found.__spec__ is not None
    assert found.__spec__.name == MOVED[old]


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_does_not_warn(alias: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = imported_anew(alias)
    assert found is importlib.import_module(ALIASES[alias])


def test_a_submodule_follows_its_package() -> None:
    old, new = "panda_gym.table1.plan", "panda_gym.experiments.generator_comparison.plan"
    sys.modules.pop(old, None)
    with pytest.warns(FutureWarning, match=new.rpartition(".")[0]):
        imported_anew("panda_gym.table1")
    found = importlib.import_module(old)
    assert found is importlib.import_module(new)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        policy = imported_anew("panda_gym.policies.base")
    assert policy.__name__ == "panda_gym.environments.placement.policies.base"


@pytest.mark.parametrize("old", NAMES)
def test_an_old_public_name_is_the_new_one(old: str) -> None:
    module, _, name = old.partition(":")
    place, _, attribute = NAMES[old].partition(":")
    with pytest.warns(FutureWarning) as caught:
        found = getattr(importlib.import_module(module), name)
    assert found is getattr(importlib.import_module(place), attribute)
    (said,) = caught
    assert f"{module}.{name} is now {place}.{attribute}" in str(said.message)
    assert REMOVED_IN in str(said.message)
    assert said.filename == __file__


@pytest.mark.parametrize("module", sorted({old.partition(":")[0] for old in NAMES}))
def test_other_names_are_attribute_errors(module: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(importlib.import_module(module), "no_such_name")  # noqa: B009


def test_pickles_name_the_new_path() -> None:
    with pytest.warns(FutureWarning):
        executor = importlib.import_module("panda_gym.executors").Here
    assert b"SerialExecutor" in pickle.dumps(executor())
    old = b"cpanda_gym.executors\nHere\n)\x81."
    with pytest.warns(FutureWarning, match="SerialExecutor"):
        assert isinstance(pickle.loads(old), executor)  # noqa: S301


def test_an_old_path_works_in_a_process_that_has_met_nothing() -> None:
    program = "import panda_gym.workers"
    ran = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, check=True
    )
    assert "panda_gym.workers is now panda_gym.executors" in ran.stderr
    assert "FutureWarning" in ran.stderr
    assert "<string>:1" in ran.stderr


def add(first: int, *, second: int = 0) -> int:
    return first + second


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: renamed("plus()", "add()", add)(1, second=2), r"plus\(\) is now add\(\)"),
        (lambda: old_keywords(more="second")(add)(1, more=2), "'more' is now 'second'"),
    ],
)
def test_old_functions_and_keywords_pass_everything_on(call: Callable[[], Any], word: str) -> None:
    with pytest.warns(FutureWarning, match=word) as caught:
        assert call() == 3
    assert caught[0].filename == __file__


def test_new_keywords_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert old_keywords(more="second")(add)(1, second=2) == 3


def test_installing_twice_changes_nothing() -> None:
    before = list(sys.meta_path)
    deprecated.install()
    assert sys.meta_path == before


@pytest.mark.parametrize(("kind", "old"), [(k, v) for k, table in VALUES.items() for v in table])
def test_an_old_value_of_an_option_is_the_new_one(kind: str, old: str) -> None:
    new = VALUES[kind][old]
    with pytest.warns(FutureWarning, match=f"the {kind} '{old}' is now '{new}'.*{REMOVED_IN}"):
        assert renamed_value(kind, old) == new
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert renamed_value(kind, new) == new


def test_the_old_learner_and_the_old_suite_work() -> None:
    from panda_gym.benchmarking.standard_suite import STANDARD, expand_scenarios
    from panda_gym.training.config import check_algorithm

    with pytest.warns(FutureWarning, match="difference_reward"):
        assert check_algorithm("hindsight") == "difference_reward"
    with pytest.warns(FutureWarning, match="standard"):
        assert expand_scenarios(["kept"]) == list(STANDARD)
