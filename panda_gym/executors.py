"""Where independent tasks run: here, one after the other, or on a Ray cluster; knows no task.

    data = datasets.collect("runs/medley", ["random"], 1_000_000, workers=OnRay("auto"))

A task is a function of what all tasks share and of what is its own, and draws all its randomness
from seeds that it is given. So it gives the same wherever it runs, and however often: a task whose
worker or node is lost is run again elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from panda_gym.errors import SettingError
from panda_gym.extras import import_extra

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")


class Workers(Protocol):
    """Runs tasks that do not know of each other."""

    def each(
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the place of a task and `work(shared, task)`, as they come, in any order."""


@dataclass(frozen=True)
class Here:
    """One task after the other in this process."""

    def each(
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the place of a task and its result, in order."""
        for place, task in enumerate(tasks):
            yield place, work(shared, task)


@dataclass(frozen=True)
class OnRay:
    """Tasks on the nodes of a Ray cluster, one core each.

    address: of the cluster, "auto" for the one that runs here; None starts one on this machine.
    A cluster that the process has joined already is used whatever the address.
    attempts: how often a task is run when its worker or node is lost.
    ahead: tasks under way beyond the cluster's cores, which bounds what results wait in memory.
    """

    address: str | None = None
    attempts: int = 5
    ahead: int = 2

    def each(
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the place of a task and its result, as they come; a task's own error is raised."""
        ray = self._join()
        remote = ray.remote(_run).options(
            num_cpus=1, max_retries=self.attempts - 1, scheduling_strategy="SPREAD"
        )
        common, places = ray.put((work, shared)), iter(enumerate(tasks))
        waiting: dict[Any, int] = {}
        while True:
            room = int(ray.cluster_resources().get("CPU", 1)) + self.ahead - len(waiting)
            for place, task in _few(places, room):
                waiting[remote.remote(common, task)] = place
            if not waiting:
                return
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            yield waiting.pop(done), _result(ray, done)

    def _join(self) -> Any:
        ray = import_extra("ray", "ray")
        if not ray.is_initialized():
            try:
                ray.init(address=self.address, log_to_driver=False, include_dashboard=False)
            except (ConnectionError, ValueError) as fault:
                raise SettingError(
                    "the address of a Ray cluster", f"{self.address!r}: {fault}", "start it first"
                ) from fault
        return ray


def _run(common: tuple[Callable[[Any, Any], Any], Any], task: Any) -> Any:
    """What a worker does; Ray has fetched `common` once a node."""
    work, shared = common
    return work(shared, task)


def _few(source: Iterator[Any], count: int) -> Iterator[Any]:
    for _, one in zip(range(count), source, strict=False):
        yield one


def _result(ray: Any, done: Any) -> Any:
    """A result; what the task itself raised is raised as it was."""
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as fault:
        raise fault.cause from fault
