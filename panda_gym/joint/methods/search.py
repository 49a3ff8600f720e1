"""The state of one search: its budget, its best schedule, its steps and its progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from panda_gym.errors import InstanceError
from panda_gym.joint.evaluation import evaluate
from panda_gym.joint.instance import Instance
from panda_gym.joint.schedule import Schedule

ENOUGH: Final = 1e-6
"""A makespan this close to the bound, relative to it, ends a search."""

SLOWEST: Final = 10.0
"""Largest wall-clock time that a CPU second is taken to need on a busy machine, s."""

Progress = Callable[[int, int, str], None]
"""progress(done, total, message)"""


@dataclass
class Search:
    """What a method may spend, and the best that it has found.

    CPU seconds are those of this process, all threads together.
    """

    cpu_s: float
    """CPU seconds that the search may take."""
    steps: int | None = None
    """Steps after which it ends; None: no limit. With it, a seed gives the same schedule."""
    stop_at_s: float = 0.0
    """Makespan at which the search ends, since a bound says that none is smaller."""
    progress: Progress | None = None
    """Called with hundredths of the budget, 100, and the best makespan."""
    best: Schedule | None = None
    """Best schedule so far."""
    makespan_s: float = float("inf")
    """Its makespan by `evaluate`, s."""
    done: int = 0
    """Steps so far: draws, moves or solved models."""
    begin: float = field(default_factory=time.process_time)
    begin_wall: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if not 0.0 < self.cpu_s < float("inf"):
            raise InstanceError("a budget above 0 CPU seconds", repr(self.cpu_s), "correct it")
        if self.steps is not None and self.steps < 1:
            raise InstanceError("at least 1 step", repr(self.steps), "correct it")

    @property
    def spent_s(self) -> float:
        """CPU seconds spent so far."""
        return time.process_time() - self.begin

    @property
    def left_s(self) -> float:
        """CPU seconds that are left."""
        return self.cpu_s - self.spent_s

    def wall_s(self, cpu_s: float) -> float:
        """Return the wall-clock time in which so many CPU seconds may pass, by the pace so far."""
        wall = time.perf_counter() - self.begin_wall
        return cpu_s * min(max(wall / max(self.spent_s, 1e-3), 1.0), SLOWEST)

    def goes_on(self) -> bool:
        """Return whether budget is left and the bound is not reached."""
        if self.progress is not None:
            spent = min(100, int(100.0 * self.spent_s / self.cpu_s))
            self.progress(spent, 100, f"{self.makespan_s:.6g} s")
        return not self.exhausted() and self.makespan_s > self.stop_at_s * (1.0 + ENOUGH)

    def exhausted(self) -> bool:
        """Return whether time or steps are spent."""
        return self.left_s <= 0.0 or (self.steps is not None and self.done >= self.steps)

    def offer(self, instance: Instance, schedule: Schedule) -> bool:
        """Judge a schedule exactly and keep it if it is better; return whether it is."""
        makespan_s = evaluate(instance, schedule).makespan_s
        if makespan_s >= self.makespan_s:
            return False
        self.best, self.makespan_s = schedule, makespan_s
        return True
