"""Run independent tasks one after the other in this process, or on a Ray cluster.

    data = datasets.collect("runs/medley", ["random"], 1_000_000, workers=RayExecutor("auto"))

A task is a function of data that all tasks share and of its own argument. It draws all its
randomness from seeds in its argument, so the result does not depend on where it runs. A task whose
worker or node is lost is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from panda_gym.deprecated import old_names
from panda_gym.errors import SettingError
from panda_gym.extras import import_extra

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs tasks that are independent of each other."""

    def each(
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the index of a task and `work(shared, task)`, in the order of completion."""
        ...


@dataclass(frozen=True)
class SerialExecutor:
    """Runs one task after the other in this process."""

    def each(
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the index and result of each task, in order."""
        for place, task in enumerate(tasks):
            yield place, work(shared, task)


@dataclass(frozen=True)
class RayExecutor:
    """Runs tasks on the nodes of a Ray cluster, one core each."""

    address: str | None = None
    """Address of the cluster, "auto" for the one of this machine; None starts one here. A cluster
    that the process has joined already is used whatever the address."""
    attempts: int = 5
    """How often a task is run when its worker or node is lost."""
    ahead: int = 2
    """Tasks submitted beyond the cluster's cores; bounds the results that wait in memory."""

    def each(
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the index and result of each task in the order of completion.

        Raises:
            SettingError: the package ray is not installed, or the cluster is not reached.
            An error that a task raises is raised as it is.
        """
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
    """Run one task on a worker; Ray fetches `common` once a node."""
    work, shared = common
    return work(shared, task)


def _few(source: Iterator[Any], count: int) -> Iterator[Any]:
    for _, one in zip(range(count), source, strict=False):
        yield one


def _result(ray: Any, done: Any) -> Any:
    """Return a result; re-raise the error of the task itself."""
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as fault:
        raise fault.cause from fault


__getattr__ = old_names(__name__)
