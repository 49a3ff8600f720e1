"""Errors say what was needed, what came, and what to do."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from panda_gym import errors
from panda_gym.errors import InputError, SeedError, check_seed, nearest


def test_every_public_error_is_an_input_error() -> None:
    classes = [getattr(errors, n) for n in errors.__all__ if n.endswith("Error")]
    assert len(classes) >= 8
    assert all(issubclass(c, InputError) for c in classes)


def test_the_message_has_its_three_parts() -> None:
    assert str(InputError("a", "b", "c")) == "needed a; got b; c"


@pytest.mark.parametrize("seed", [1.0, "1", True, None, -1, np.float64(2)])
def test_a_wrong_seed_is_refused(seed: object) -> None:
    with pytest.raises(SeedError, match="non-negative integer"):
        check_seed(seed)


@pytest.mark.parametrize("seed", [0, 7, np.int64(3)])
def test_a_right_seed_becomes_an_int(seed: object) -> None:
    assert type(check_seed(seed)) is int


def test_the_nearest_name_is_named() -> None:
    assert nearest("tabdpm", ["smote", "tabddpm"]) == "did you mean tabddpm?"
    assert nearest("xyz", ["smote", "tabddpm"]) == "choose one of smote, tabddpm"


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_an_error_is_made_anew_from_its_text_as_gymnasium_does(name: str) -> None:
    kind = getattr(errors, name)
    assert str(kind("needed a; got b; c")) == "needed a; got b; c"


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_an_error_crosses_to_another_process_whole(name: str) -> None:
    kind = getattr(errors, name)
    error = kind("text") if kind is errors.KeywordError else kind("a", "b", "c")
    again = copy.copy(error)  # by the same protocol as pickle
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)
