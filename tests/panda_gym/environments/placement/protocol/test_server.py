"""The server answers what the policy would, refuses nonsense in words, and goes on."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.environments.placement import policies
from panda_gym.environments.placement.batch import PlacementBatch
from panda_gym.environments.placement.observation import PlacementView
from panda_gym.environments.placement.protocol import (
    PolicyServer,
    messages,
    request,
    serve,
    serve_socket,
)
from panda_gym.environments.placement.protocol.messages import line, observed
from panda_gym.environments.placement.scenario import Scenario
from panda_gym.errors import PolicyError
from tests.panda_gym.placements import small


@pytest.fixture(scope="module")
def batch() -> PlacementBatch:
    found = PlacementBatch(Scenario.of(**small(jobs=30)), 4)
    found.begin((e, np.random.default_rng(e)) for e in range(4))
    return found


@pytest.fixture
def requests(batch: PlacementBatch) -> list[bytes]:
    seen: Any = batch.observe()
    return [request(one, e, e, 0) for e, one in enumerate(observed(PlacementView(seen)))]


def test_replies_are_the_policys_choices(batch: PlacementBatch, requests: list[bytes]) -> None:
    target = io.BytesIO()
    assert serve(policies.create("fastest"), io.BytesIO(b"".join(requests)), target) == 4
    found = [json.loads(text) for text in target.getvalue().splitlines()]
    expected = policies.create("fastest")(batch.observe(), np.random.default_rng(0))
    assert found == [{"id": e, "action": int(site)} for e, site in enumerate(expected)]


def test_memory_is_kept_by_episode_until_a_reset(requests: list[bytes]) -> None:
    server = PolicyServer(policies.create("round_robin"))

    def site(text: bytes) -> int:
        reply = server.answer(text)
        assert reply is not None
        return int(json.loads(reply)["action"])

    first, again, other = site(requests[0]), site(requests[0]), site(requests[1])
    assert again != first
    assert other == first
    assert server.answer(line({"type": "reset", "episodes": 2})) is None
    assert site(requests[0]) == first


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"nonsense\n", "JSON object"),
        (b'{"id": 5, "job": 1}\n', "object 'sites'"),
        (b'{"id": 5, "type": "dance"}\n', "decide, hello or reset"),
        (b'{"id": 5, "type": "hello", "protocol": "other/9"}\n', "panda-grid-policy/1"),
    ],
)
def test_nonsense_gets_an_error_and_the_next_request_an_answer(
    requests: list[bytes], text: bytes, words: str
) -> None:
    target = io.BytesIO()
    serve(policies.create("fastest"), io.BytesIO(text + b"\n" + requests[2]), target)
    wrong, right = (json.loads(one) for one in target.getvalue().splitlines())
    assert words in wrong["error"]
    assert wrong["id"] in (None, 5)
    assert right["id"] == 2


def test_a_line_without_end_is_refused(
    requests: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from panda_gym.environments.placement.protocol import server

    monkeypatch.setattr(server, "MOST_BYTES", len(requests[0]) + 10)
    target = io.BytesIO()
    serve(policies.create("fastest"), io.BytesIO(b"x" * 50_000 + b"\n" + requests[0]), target)
    wrong, right = (json.loads(one) for one in target.getvalue().splitlines())
    assert "bytes a line" in wrong["error"]
    assert right["id"] == 0


def test_whole_numbers_are_asked_for(requests: list[bytes]) -> None:
    server = PolicyServer(policies.create("fastest"))
    for change in ({"id": "a"}, {"id": None}, {"episode": 1.5}):
        reply = server.answer(line({**json.loads(requests[0]), **change}))
        assert reply is not None
        assert "whole number" in json.loads(reply)["error"]


def test_a_local_socket_answers_one_client_after_the_other(
    requests: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "policy.socket"
    threading.Thread(
        target=serve_socket, args=(policies.create("fastest"), path), daemon=True
    ).start()
    while not path.exists():
        time.sleep(0.01)
    for text in requests[:2]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(10.0)
            while client.connect_ex(str(path)):
                time.sleep(0.01)
            client.sendall(text)
            assert json.loads(client.makefile("rb").readline())["id"] == json.loads(text)["id"]
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(PolicyError, match="which exists"):
        serve_socket(policies.create("fastest"), path)


def test_messages_are_strict_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        messages.line({"id": float("nan")})
