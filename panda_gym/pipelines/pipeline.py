"""Pipelines: graphs of typed tasks that train, evaluate and deploy a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from panda_gym.deprecated import FIELDS, old_keywords
from panda_gym.distributions import Distribution, Growth
from panda_gym.errors import PipelineError, nearest
from panda_gym.pipelines.kinds import Effect, Kind, kind


@old_keywords(**FIELDS["Task"])
@dataclass(frozen=True)
class Task:
    """Step of a pipeline: it waits for a slot, reads, executes and writes."""

    kind: str
    """One of `kinds.KINDS`."""
    name: str = ""
    """Unique in the pipeline; the kind if left out."""
    after: tuple[str, ...] | None = None
    """Names of the tasks it waits for; None: the previous task in the list."""
    duration: Distribution | Growth | None = None
    """Duration on a slot of speed 1, s; None: lognormal about the kind's median, sigma 0.5."""
    read: float = 1.0
    """Bytes read over the bytes of the data asset."""
    write: float = 0.1
    """Bytes written over the bytes of the data asset."""
    cluster: str | None = None
    """Cluster on which it runs; None: that of its kind."""
    effect: Effect | None = None
    """Effect on the model; None: that of its kind."""

    def __post_init__(self) -> None:
        kind(self.kind)
        for field in ("read", "write"):
            value = getattr(self, field)
            if not 0.0 <= value < float("inf"):
                raise PipelineError(f"{field} of task {self.label!r} >= 0", repr(value), "raise it")
        if self.duration is not None and not isinstance(self.duration, Distribution | Growth):
            raise PipelineError(
                f"a distribution as duration of task {self.label!r}",
                repr(self.duration)[:60],
                "pass for example Lognormal(60, 0.5)",
            )

    @property
    def label(self) -> str:
        """Name of the task, or its kind if it has none."""
        return self.name or self.kind

    @property
    def of(self) -> Kind:
        """Kind of the task."""
        return kind(self.kind)


@dataclass(frozen=True)
class Pipeline:
    """Pipeline of tasks and their dependencies, checked at construction.

    Raises PipelineError if it has no task, duplicate names, an unknown parent or a cycle.
    """

    name: str
    """Name in reports."""
    tasks: tuple[Task, ...]
    """Tasks in the order passed, at least one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        if not self.tasks:
            raise PipelineError(f"a task in pipeline {self.name!r}", "none", "add one")
        labels = [task.label for task in self.tasks]
        twice = [label for label, count in Counter(labels).items() if count > 1]
        if twice:
            raise PipelineError(
                f"task names that differ in pipeline {self.name!r}", repr(twice[0]), "pass name="
            )
        self._check_order()

    @classmethod
    def chain(cls, name: str, *kinds: str) -> Pipeline:
        """Return a chain of tasks of these kinds with default durations."""
        return cls(name, tuple(Task(one) for one in kinds))

    @property
    def parents(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the tasks for which every task waits."""
        place = {task.label: i for i, task in enumerate(self.tasks)}
        found: list[tuple[int, ...]] = []
        for i, task in enumerate(self.tasks):
            if task.after is None:
                found.append((i - 1,) if i else ())
                continue
            for name in task.after:
                if name not in place:
                    raise PipelineError(
                        f"a task of pipeline {self.name!r} before {task.label!r}",
                        repr(name),
                        nearest(str(name), place),
                    )
            found.append(tuple(dict.fromkeys(place[name] for name in task.after)))
        return tuple(found)

    @property
    def deploys(self) -> bool:
        """Whether a completed run replaces the model in service."""
        return any(task.of.deploys for task in self.tasks)

    def _check_order(self) -> None:
        """Raise PipelineError that names the tasks of a cycle if there is one."""
        waits = {i: set(parents) for i, parents in enumerate(self.parents)}
        while waits:
            ready = [i for i, parents in waits.items() if not parents]
            if not ready:
                around = ", ".join(self.tasks[i].label for i in sorted(waits))
                raise PipelineError(
                    f"pipeline {self.name!r} without cycles", f"a cycle among {around}", "cut it"
                )
            for i in ready:
                del waits[i]
            for parents in waits.values():
                parents.difference_update(ready)
