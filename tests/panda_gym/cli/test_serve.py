"""`panda-grid serve` answers a policy's choices over standard input and output."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from panda_gym.cli.app import build
from panda_gym.environments.placement.observation import (
    GRID_FEATURES,
    JOB_FEATURES,
    SITE_FEATURES,
)
from panda_gym.errors import PolicyError

REQUEST: dict[str, Any] = {
    "id": 4,
    "job": {feature.name: 1.0 for feature in JOB_FEATURES},
    "grid": {feature.name: 0.0 for feature in GRID_FEATURES},
    "sites": {feature.name: [1.0, 1.0, 1.0] for feature in SITE_FEATURES} | {"power": [9, 17, 12]},
}


def serve(*words: str, lines: list[str]) -> list[dict[str, Any]]:
    """Replies of the verb to these lines."""
    ran = CliRunner().invoke(
        build(), ["serve", *words], input="\n".join(lines) + "\n", catch_exceptions=False
    )
    assert ran.exit_code == 0
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_requests_are_answered_in_order() -> None:
    masked = {**REQUEST, "id": 5, "mask": [1, 0, 1]}
    found = serve("--policy", "fastest", lines=[json.dumps(REQUEST), json.dumps(masked), "oops"])
    assert found[:2] == [{"id": 4, "action": 1}, {"id": 5, "action": 2}]
    assert "JSON object" in found[2]["error"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [("oracle:clairvoyant", "sees the future"), ("fastst", "did you mean fastest")],
)
def test_what_is_no_policy_is_one_clear_error(policy: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        serve("--policy", policy, lines=[])
