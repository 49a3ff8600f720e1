"""A child process that is spoken to in lines, with time limits and without ever blocking."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from panda_gym.errors import PolicyError

CHUNK: Final = 1 << 16
MOST_REPLY_BYTES: Final = 1 << 16
"""Longest line of a reply; a longer one is dropped and reported as empty."""


class LineProcess:
    """A process with pipes to its standard input and output; its errors go where ours go.

    command: program and arguments; no shell is involved. PolicyError if it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self._child = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            do = "correct the command after process:"
            raise PolicyError("a command that can be started", f"{command}: {error}", do) from None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to, self._from = self._child.stdin.fileno(), self._child.stdout.fileno()
        for pipe in (self._to, self._from):
            os.set_blocking(pipe, False)
        self._out, self._in = bytearray(), bytearray()
        self._dropping, self._deaf = False, False

    def send(self, line: bytes) -> None:
        """Queue a line; it is written while `receive` waits."""
        if not self._deaf:
            self._out += line

    def receive(self, deadline: float) -> bytes:
        """Return the next line, without its end; empty if it was too long.

        deadline: time by `time.monotonic`. TimeoutError when it passes, EOFError when the process
        has ended or has closed a pipe.
        """
        while True:
            line = self._take()
            if line is not None:
                return line
            left = deadline - monotonic()
            if left <= 0.0:
                raise TimeoutError
            self._exchange(left)

    def close(self) -> int:
        """End the process and all that it started; return its exit code."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        code = self._child.poll()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.stdin.close()
        self._child.stdout.close()
        last = self._child.wait()
        return last if code is None else code

    def wait(self, seconds: float) -> int | None:
        """Return the exit code once the process has ended, None if it still runs."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _take(self) -> bytes | None:
        """Return a whole line of what was read, None if there is none yet."""
        end = self._in.find(b"\n")
        if end < 0:
            if len(self._in) > MOST_REPLY_BYTES:
                self._dropping = True
                self._in.clear()
            return None
        line = bytes(self._in[:end])
        del self._in[: end + 1]
        dropped, self._dropping = self._dropping or end > MOST_REPLY_BYTES, False
        return b"" if dropped else line

    def _exchange(self, seconds: float) -> None:
        """Wait until something can be written or read, and do it."""
        writing = [self._to] if self._out else []
        ready = select.select([self._from], writing, [], seconds)
        if ready[1]:
            self._write()
        if ready[0]:
            read = os.read(self._from, CHUNK)
            if not read:
                raise EOFError
            self._in += read

    def _write(self) -> None:
        """Write as much as the pipe takes; what it has said before it went deaf is still read."""
        try:
            del self._out[: os.write(self._to, self._out[:CHUNK])]
        except BrokenPipeError:
            self._deaf = True
            self._out.clear()
