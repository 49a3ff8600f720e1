"""Solve an instance by a method within a budget; return the schedule, its makespan and a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from panda_gym.errors import InstanceError, check_seed, nearest
from panda_gym.joint.evaluation import evaluate
from panda_gym.joint.instance import Instance
from panda_gym.joint.methods import METHODS, Search
from panda_gym.joint.methods.search import Progress
from panda_gym.joint.schedule import Schedule


@dataclass(frozen=True, eq=False)
class Solution:
    """What a method found."""

    method: str
    """Name of the method."""
    schedule: Schedule
    """The best schedule that it found."""
    makespan_s: float
    """Its makespan by the exact evaluation, s."""
    lower_bound_s: float
    """A makespan that no schedule is below, s; 0 where none was given."""
    steps: int
    """Draws, moves or solved models."""
    cpu_s: float
    """CPU seconds that the method took."""

    @property
    def gap(self) -> float:
        """Makespan over the lower bound, minus 1; infinity without a bound."""
        return self.makespan_s / self.lower_bound_s - 1.0 if self.lower_bound_s else float("inf")

    def figures(self) -> dict[str, Any]:
        """Return all but the schedule."""
        names = ("method", "makespan_s", "lower_bound_s", "gap", "steps", "cpu_s")
        return {name: getattr(self, name) for name in names}


def solve(
    instance: Instance,
    method: str = "local_search",
    *,
    cpu_s: float = 10.0,
    steps: int | None = None,
    seed: int = 0,
    lower_bound_s: float = 0.0,
    progress: Progress | None = None,
) -> Solution:
    """Return the best schedule that a method, one of `METHODS`, finds.

    The method ends after `cpu_s` CPU seconds or `steps`, or at a makespan of `lower_bound_s`, which
    `lower_bound` gives. The same seed and `steps` give the same schedule; how far a method comes in
    a time depends on the machine. Compilation of kernels is not counted.
    Raises InstanceError for an unknown method or a wrong budget.
    """
    if method not in METHODS:
        raise InstanceError("a method", repr(method), nearest(str(method), METHODS))
    seed = check_seed(seed)
    compile_kernels()
    search = Search(cpu_s, steps, stop_at_s=lower_bound_s, progress=progress)
    METHODS[method](instance, seed, search)
    assert search.best is not None
    makespan_s = evaluate(instance, search.best).makespan_s
    return Solution(method, search.best, makespan_s, lower_bound_s, search.done, search.spent_s)


def compile_kernels() -> None:
    """Compile what methods need, or load it from the cache."""
    from panda_gym.joint.random_instances import random_instance

    tiny = random_instance(0, jobs=3, nodes=2, local_stores=2, remote_stores=1)
    METHODS["local_search"](tiny, 0, Search(60.0, steps=2))
