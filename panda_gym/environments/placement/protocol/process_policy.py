"""A policy in a process of the user's, asked in JSON lines over its standard input and output."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from time import monotonic
from typing import Any

from panda_gym.environments.placement.protocol.line_process import LineProcess
from panda_gym.environments.placement.protocol.messages import hello, line, parse, request, shown
from panda_gym.environments.placement.protocol.outside import OutsidePolicy, ReplyFault
from panda_gym.errors import PolicyError


class ProcessPolicy(OutsidePolicy):
    """A command that answers requests for decisions, see `messages`.

    command: as in a shell, but no shell is involved. timeout_s: time for a reply. start_s: time for
    the first one. most_late: so many late replies in a row count as a hang; the process is ended
    and all further replies are dead. It is started at the first decision. PolicyError if it cannot
    be started.
    """

    def __init__(
        self, command: str, *, timeout_s: float = 10.0, start_s: float = 60.0, most_late: int = 3
    ) -> None:
        try:
            self.command = shlex.split(command)
        except ValueError as error:
            raise PolicyError("a command", f"{command!r}: {error}", "close the quotes") from None
        if not self.command or not timeout_s > 0.0:
            came = f"{command!r} and {timeout_s} s"
            raise PolicyError("a command and a time above 0 s", came, 'pass process:"COMMAND"')
        self.timeout_s, self.start_s, self.most_late = timeout_s, start_s, most_late
        self._process: LineProcess | None = None
        super().__init__(f"process:{command}")

    def begin(self, envs: int) -> None:
        """End the process of the last episodes; the next decision starts a new one."""
        self.close()
        self._envs, self._number, self._late, self._over = envs, 0, 0, ""

    def ask(self, observation: Mapping[str, Any], episode: int, decision: int) -> Any:
        """Return the action of the reply; ReplyFault if there is none in time."""
        if self._over:
            raise ReplyFault("dead", self._over)
        if self._process is None:
            self._start()
        assert self._process is not None
        number, self._number = self._number, self._number + 1
        self._process.send(request(observation, number, episode, decision))
        try:
            answer = self._reply(self._process, number)
        except TimeoutError:
            raise self._is_late() from None
        except EOFError:
            raise self._has_ended() from None
        self._late = 0
        return _action(answer, number)

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the process, which another one does not share."""
        return vars(self) | {"_process": None, "_batch": None}

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()

    def _start(self) -> None:
        self._process = LineProcess(self.command)
        self._process.send(line(hello(self.site_names, self.regions)))
        self._process.send(line({"type": "reset", "episodes": self._envs}))

    def _reply(self, process: LineProcess, number: int) -> bytes:
        """Return the line that answers a request; answers to earlier ones, now late, are passed."""
        deadline = monotonic() + (self.timeout_s if number else max(self.timeout_s, self.start_s))
        while True:
            text = process.receive(deadline)
            if not _is_earlier(text, number):
                return text

    def _is_late(self) -> ReplyFault:
        self._late += 1
        came = f"no reply within {self.timeout_s:g} s"
        if self._late >= self.most_late:
            self.close()
            self._over = f"{self._late} replies in a row were late, so the process was ended"
            came += f"; {self._over}"
        return ReplyFault("late", came)

    def _has_ended(self) -> ReplyFault:
        assert self._process is not None
        code = self._process.wait(1.0)
        self.close()
        how = "closed its output" if code is None else f"ended with exit code {code}"
        self._over = f"the process {how}; see what it printed"
        return ReplyFault("dead", self._over)


def _is_earlier(text: bytes, number: int) -> bool:
    """Whether a line answers a request before this one."""
    try:
        found = parse(text).get("id")
    except PolicyError:
        return False
    return type(found) is int and 0 <= found < number


def _action(text: bytes, number: int) -> Any:
    """Return the action of a reply; ReplyFault for anything but an object with id and action."""
    if not text:
        raise ReplyFault("illegal", "an empty or too long line")
    try:
        found = parse(text)
    except PolicyError as error:
        raise ReplyFault("illegal", str(error)) from None
    if type(found.get("id")) is not int or found["id"] != number:
        raise ReplyFault("illegal", f"needed the id {number}, got {shown(text)}")
    if "action" not in found:
        raise ReplyFault("illegal", f"needed an action, got {shown(text)}")
    return found["action"]
