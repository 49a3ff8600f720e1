"""Threads that share the grids of a batch; knows ranges of grids, never what is done with them.

Grids do not meet, so that the number of threads changes no result. The caller is one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from panda_gym.deprecated import old_names
from panda_gym.errors import SettingError


class ThreadPool:
    """`threads` threads, this one included; SettingError if that is no number of at least 1."""

    def __init__(self, threads: int = 1) -> None:
        if isinstance(threads, bool) or not hasattr(threads, "__index__") or threads < 1:
            raise SettingError("at least one thread", repr(threads), "pass threads=1")
        self.threads = int(threads)
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._under_way: list[Future[Any]] = []

    def share(self, count: int, work: Callable[[int, int], Any]) -> None:
        """Call `work(first, last)` for ranges that together are 0 .. count - 1; wait for all."""
        if self._pool is None:
            work(0, count)
            return
        edges = [count * k // self.threads for k in range(self.threads + 1)]
        for first, last in pairwise(edges[1:]):
            self.soon(work, first, last)
        work(edges[0], edges[1])
        self.wait()

    def soon(self, work: Callable[..., Any], *given: Any) -> None:
        """Call `work(*given)` beside what follows; at once if there is one thread only."""
        if self._pool is None:
            work(*given)
        else:
            self._under_way.append(self._pool.submit(work, *given))

    def wait(self) -> None:
        """Return when all that was begun has ended; raise what it raised."""
        under_way, self._under_way = self._under_way, []
        for one in under_way:
            one.result()


__getattr__ = old_names(__name__)
