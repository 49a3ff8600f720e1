"""Objects in settings are known again by what they hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from panda_gym.provenance import named, plain, versions
from tests.oracles.worlds import make_platform, make_stream


class Bare:
    """Neither name nor fields."""


def test_settings_stand_as_they_are() -> None:
    settings = {"a": 1, "b": None, "c": {"d": [0.5, "x"]}, "e": Path("f/g"), "h": np.float64(2)}
    assert plain(settings) == {"a": 1, "b": None, "c": {"d": [0.5, "x"]}, "e": "f/g", "h": 2.0}
    assert json.dumps(plain(settings))


def test_equal_objects_have_one_name_and_others_another() -> None:
    platform = make_platform(4)
    assert named(platform) == named(make_platform(4))
    assert named(platform) != named(replace(platform, power=platform.power + 1.0))
    assert named(platform).startswith("Platform:test4:")


def test_a_stream_is_named_by_its_digest() -> None:
    stream = make_stream(make_platform(4), jobs=20)
    assert named(stream) == f"JobStream:synthetic:{stream.digest()}"


def test_no_address_in_memory_is_written() -> None:
    assert named(Bare()) == named(Bare()) == "Bare"


def test_versions_name_python_and_packages() -> None:
    assert set(versions(["numpy"])) == {"python", "numpy"}
