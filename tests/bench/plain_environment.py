"""A plain-Python Gymnasium environment of placement: what one would write first.

heapq and numpy, FIFO sites with multi-core jobs, the same size of observation and a mask; no
data, no competing load, no failures. A yardstick for `tests.bench.simulator`.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Any

import gymnasium
import numpy as np


class PlainEnv(gymnasium.Env):
    """Each step places one job at one of `sites` sites."""

    def __init__(self, sites: int = 150, rows: int = 15) -> None:
        self.sites, self.rows = sites, rows
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (rows * sites + 12,))
        self.action_space = gymnasium.spaces.Discrete(sites)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        """Empty sites of 20 cores on the mean."""
        super().reset(seed=seed)
        self.cores = self.np_random.integers(1, 40, self.sites)
        self.free, self.time = self.cores.copy(), 0.0
        self.running: list[tuple[float, int, int]] = []
        self.queues: list[deque[tuple[int, float]]] = [deque() for _ in range(self.sites)]
        self.queued = np.zeros(self.sites)
        return self._observe(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Place a job of one core and let time run to the next arrival."""
        s, run = int(action), float(self.np_random.exponential(17_000.0))
        self.queues[s].append((1, run))
        self.queued[s] += run
        self._start(s)
        self.time += float(self.np_random.exponential(6.0))
        while self.running and self.running[0][0] <= self.time:
            _, site, cores = heapq.heappop(self.running)
            self.free[site] += cores
            self._start(site)
        reward = -float(np.log(1.0 + self.queued[s] / self.cores[s] / 600.0))
        return self._observe(), reward, False, False, {"cost": 0.0}

    def _start(self, s: int) -> None:
        queue = self.queues[s]
        while queue and queue[0][0] <= self.free[s]:
            cores, run = queue.popleft()
            self.queued[s] -= run
            self.free[s] -= cores
            heapq.heappush(self.running, (self.time + run, s, cores))

    def _observe(self) -> np.ndarray:
        view = np.zeros(self.rows * self.sites + 12, np.float32)
        n = self.sites
        view[:n], view[n : 2 * n], view[2 * n : 3 * n] = self.cores, self.free, self.queued
        return view
