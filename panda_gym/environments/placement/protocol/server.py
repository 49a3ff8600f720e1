"""Answer requests for decisions with a policy: the other side of the protocol.

A request that cannot be answered gets a reply with `error`, and the next one is read. Policies
with memory keep one copy an episode.
"""

from __future__ import annotations

import copy
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from panda_gym.environments.placement.policies.base import Memoryless, Policy
from panda_gym.environments.placement.protocol.messages import (
    MOST_BYTES,
    PROTOCOL,
    line,
    parse,
    read_observation,
)
from panda_gym.errors import InputError, PolicyError

MOST_EPISODES: Final = 4096
"""Episodes whose memory is kept; an older one than that begins anew."""


class PolicyServer:
    """A policy and its memory of every episode; `answer` takes a line and returns the reply.

    seed: of what the policy draws.
    """

    def __init__(self, policy: Policy, seed: int = 0) -> None:
        self.policy, self.rng = policy, np.random.default_rng(seed)
        self.policy.reset(1)
        self._episodes: dict[int, Policy] = {}

    def answer(self, text: bytes) -> bytes | None:
        """Return the reply to a line; None for a message that has none."""
        message: dict[str, Any] = {}
        try:
            message = parse(text)
            if message.get("type", "decide") != "decide":
                self._told(message)
                return None
            observation = read_observation(message)
            policy = self._of(message.get("episode", 0))
            return line({"id": _number(message), "action": int(policy.act(observation, self.rng))})
        except InputError as error:
            known = message.get("id")
            return line({"id": known if type(known) is int else None, "error": str(error)})

    def _told(self, message: dict[str, Any]) -> None:
        """Take a hello or a reset, neither of which has a reply; PolicyError for another type."""
        kind = message["type"]
        if kind == "hello" and message.get("protocol", PROTOCOL) != PROTOCOL:
            raise PolicyError(PROTOCOL, repr(message["protocol"])[:60], "speak this protocol")
        if kind == "reset":
            self._episodes.clear()
        elif kind != "hello":
            raise PolicyError("a message decide, hello or reset", repr(kind)[:60], "send one")

    def _of(self, episode: Any) -> Policy:
        """Return the policy of an episode: the one policy, unless it has memory."""
        if type(episode) is not int:
            raise PolicyError("a whole number as episode", repr(episode)[:60], "correct it")
        if isinstance(self.policy, Memoryless):
            return self.policy
        if episode not in self._episodes:
            if len(self._episodes) >= MOST_EPISODES:
                del self._episodes[next(iter(self._episodes))]
            self._episodes[episode] = copy.deepcopy(self.policy)
        return self._episodes[episode]


def serve(policy: Policy, source: BinaryIO, target: BinaryIO, *, seed: int = 0) -> int:
    """Answer every line of `source` in `target` until it ends; return how many were answered."""
    server, answered = PolicyServer(policy, seed), 0
    for text in _lines(source):
        if text is None:
            needed = f"at most {MOST_BYTES} bytes"
            reply: bytes | None = line({"id": None, "error": f"needed {needed} a line; got more"})
        else:
            reply = server.answer(text) if text.strip() else None
        if reply is not None:
            target.write(reply)
            target.flush()
            answered += 1
    return answered


def serve_socket(policy: Policy, path: str | Path, *, seed: int = 0) -> None:
    """Answer on a local (Unix) socket, one client after the other, until interrupted.

    The socket is for this user alone. PolicyError if `path` exists.
    """
    path = Path(path)
    if path.exists():
        raise PolicyError("a new path for a socket", f"{path}, which exists", "remove it first")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        try:
            listener.listen()
            while True:
                client, _ = listener.accept()
                with client, client.makefile("rwb") as both, suppress(ConnectionError):
                    serve(policy, both, both, seed=seed)  # type: ignore[arg-type]
        finally:
            path.unlink(missing_ok=True)


def _lines(source: BinaryIO) -> Iterator[bytes | None]:
    """Return the lines of a stream, None for one of more than MOST_BYTES."""
    while text := source.readline(MOST_BYTES + 1):
        if len(text) <= MOST_BYTES:
            yield text
            continue
        while text and not text.endswith(b"\n"):
            text = source.readline(MOST_BYTES)
        yield None


def _number(message: dict[str, Any]) -> int:
    """Return the id of a request; PolicyError if it is no whole number."""
    number = message.get("id")
    if type(number) is not int:
        raise PolicyError("a whole number as id", repr(number)[:60], "number the requests")
    return number
