"""Messages say what was observed, exactly, and nonsense is one clear error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.protocol.messages import (
    observed,
    parse,
    read_observation,
    request,
)
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from tests.panda_gym.placements import small


@pytest.fixture(scope="module")
def observation() -> dict[str, np.ndarray]:
    batch = PlacementBatch(Scenario.of(**small(jobs=30)), 3)
    batch.begin((e, np.random.default_rng(e)) for e in range(3))
    batch.step(batch.simulator.mask.argmax(axis=1))
    found = batch.observe()
    assert isinstance(found, dict)
    return found


@pytest.fixture
def message(observation: dict[str, np.ndarray]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request(observed(PlacementView(observation))[1], 7, 1, 0))
    return found


def test_an_observation_crosses_bit_for_bit(observation: dict[str, np.ndarray]) -> None:
    for e, one in enumerate(observed(PlacementView(observation))):
        again = read_observation(parse(request(one, e, e, 0)))
        for part, codes in observation.items():
            np.testing.assert_array_equal(again[part][0], codes[e], err_msg=part)
            assert again[part].dtype == codes.dtype


def test_a_request_is_one_line_of_natural_units(message: dict[str, Any]) -> None:
    assert message["type"] == "decide"
    assert (message["id"], message["episode"], message["decision"]) == (7, 1, 0)
    assert message["job"]["cores"] == round(message["job"]["cores"])
    assert set(message["mask"]) <= {0, 1}
    assert {len(row) for row in message["sites"].values()} == {len(message["mask"])}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"job": None}, "object 'job'"),
        ({"sites": {}}, "all features of sites"),
        ({"mask": [0]}, "a mask of"),
        ({"mask": "all"}, "a mask of"),
    ],
)
def test_a_part_that_is_missing_or_wrong_is_named(
    message: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    with pytest.raises(PolicyError, match=words):
        read_observation(message | change)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "numbers as cores"),
        ("8", "numbers as cores"),
        (None, "numbers as cores"),
        ([1, 2], "numbers as cores"),
        (10**400, "finite numbers in job"),
    ],
)
def test_a_value_that_is_no_number_is_refused(
    message: dict[str, Any], value: Any, words: str
) -> None:
    message["job"]["cores"] = value
    with pytest.raises(PolicyError, match=words):
        read_observation(message)


def test_an_unknown_feature_names_the_nearest(message: dict[str, Any]) -> None:
    message["job"]["core"] = 1
    with pytest.raises(PolicyError, match="did you mean cores"):
        read_observation(message)


def test_lists_of_unequal_length_are_refused(message: dict[str, Any]) -> None:
    message["sites"]["wait"] = message["sites"]["wait"][:-1]
    with pytest.raises(PolicyError, match="all as long"):
        read_observation(message)


@pytest.mark.parametrize(
    "text", [b"", b"nonsense", b"[1]", b'{"id": NaN}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(PolicyError, match="JSON object"):
        parse(text)


@settings(max_examples=200, deadline=None)
@given(text=st.binary(max_size=60))
def test_any_bytes_are_a_message_or_one_error(text: bytes) -> None:
    with contextlib.suppress(PolicyError):
        assert isinstance(parse(text), dict)
