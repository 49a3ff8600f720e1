"""Threads that share the episodes of a batch.

Episodes are independent, so the number of threads changes no result. The caller is one of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from panda_gym.deprecated import old_names
from panda_gym.errors import SettingError


class ThreadPool:
    """A pool of `threads` threads, the caller included; SettingError if that is not at least 1."""

    def __init__(self, threads: int = 1) -> None:
        if isinstance(threads, bool) or not hasattr(threads, "__index__") or threads < 1:
            raise SettingError("at least one thread", repr(threads), "pass threads=1")
        self.threads = int(threads)
        self._pool = self._executor()
        self._process = os.getpid()
        self._running: list[Future[Any]] = []

    def share(self, count: int, work: Callable[[int, int], Any]) -> None:
        """Call `work(first, last)` for ranges that together are 0 .. count - 1 and wait for all."""
        if self._pool is None:
            work(0, count)
            return
        edges = [count * k // self.threads for k in range(self.threads + 1)]
        for first, last in pairwise(edges[1:]):
            self.submit(work, first, last)
        work(edges[0], edges[1])
        self.wait()

    def _executor(self) -> ThreadPoolExecutor | None:
        return ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def submit(self, work: Callable[..., Any], *given: Any) -> None:
        """Call `work(*given)` in another thread; at once if there is one thread only."""
        if self._pool is None:
            work(*given)
            return
        if os.getpid() != self._process:  # a forked child has none of its parent's threads
            self._pool, self._process, self._running = self._executor(), os.getpid(), []
        if self._pool is not None:
            self._running.append(self._pool.submit(work, *given))

    def wait(self) -> None:
        """Wait for all submitted work and raise the first error."""
        running, self._running = self._running, []
        for one in running:
            one.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None and os.getpid() == self._process:
            self._pool.shutdown(wait=False)


__getattr__ = old_names(__name__)
