"""Static schedules: the processor, start and finish of every task, built one task at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from panda_gym.workflows.static_scheduling.problem import SchedulingProblem
from panda_gym.workflows.static_scheduling.timeline import Timeline

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Schedule:
    """Static schedule of N tasks, numbered set by set; times in s."""

    processor: Array
    """int32[N]: processor of every task."""
    start: Array
    """float64[N]: start of every task."""
    finish: Array
    """float64[N]: finish of every task."""

    @property
    def makespan_s(self) -> float:
        """Finish of the last task, s."""
        return float(self.finish.max())


class ScheduleBuilder:
    """Partial schedule to which rules add tasks; every child set follows its parent sets."""

    def __init__(self, problem: SchedulingProblem) -> None:
        self.problem = problem
        self.first = np.concatenate([[0], np.cumsum(problem.tasks)])
        """int64[n + 1]: first task of every set."""
        count = int(self.first[-1])
        self.processor = np.full(count, -1, dtype=np.int32)
        self.start, self.finish = np.zeros(count), np.zeros(count)
        self.lines = [Timeline(tuple(row)) for row in problem.capacity.tolist()]
        self._need = [tuple(row) for row in problem.need.tolist()]
        self._ready: dict[int, Array] = {}

    def ready(self, s: int) -> Array:
        """Return when the input of a set's tasks is at every processor.

        Shape: float64[1, P], or float64[tasks, P] where an edge of relation `each` ends at the
        set. All tasks of its parents must be placed.
        """
        if s not in self._ready:
            self._ready[s] = self._arrivals(s)
        return self._ready[s]

    def estimate(self, s: int) -> Array:
        """Return the earliest finish of a set's first task by the parents placed so far, [P]."""
        ready, cost = self._arrivals(s)[0], self.problem.cost[s]
        return self._starts(s, ready) + cost

    def _arrivals(self, s: int) -> Array:
        problem = self.problem
        found = problem.arrival[s][None, :].copy()
        parents = problem.parents
        for k in range(parents.first[s], parents.first[s + 1]):
            edge, parent = parents.edge[k], int(parents.node[k])
            share = self._each if problem.each[edge] else self._all
            arrival = share(s, parent, float(problem.bytes[edge])) + problem.gap_s
            found = np.maximum(found, arrival)
        return found

    def _all(self, s: int, parent: int, size: float) -> Array:
        """Return the arrival of a parent's output, shared by the processors of its tasks."""
        tasks = np.arange(self.first[parent], self.first[parent + 1])
        placed = tasks[self.processor[tasks] >= 0]
        where, finish = self.processor[placed], self.finish[placed]
        found = np.full(self.problem.processors, finish.max(initial=0.0))
        for source in np.unique(where).tolist():
            mine = where == source
            transfer = self.problem.transfer(source, size * int(mine.sum()) / len(tasks))
            found = np.maximum(found, finish[mine].max() + transfer)
        return found[None, :]

    def _each(self, s: int, parent: int, size: float) -> Array:
        """Return the arrival at every child task of the parent tasks of its share."""
        mine, theirs = int(self.problem.tasks[s]), int(self.problem.tasks[parent])
        found = np.zeros((mine, self.problem.processors))
        for j in range(mine):
            low = j * theirs // mine
            high = max(-(-(j + 1) * theirs // mine), low + 1)
            for i in range(low, high):
                task = self.first[parent] + i
                if self.processor[task] < 0:
                    continue
                transfer = self.problem.transfer(int(self.processor[task]), size / (high - low))
                found[j] = np.maximum(found[j], self.finish[task] + transfer)
        return found

    def earliest(self, s: int, j: int) -> tuple[Array, Array]:
        """Return the earliest start and finish of task j of a set on every processor.

        Both are float64[P], with insertion, and infinite where the task does not fit.
        """
        ready = self.ready(s)
        start = self._starts(s, ready[j if len(ready) > 1 else 0])
        return start, start + self.problem.cost[s]

    def _starts(self, s: int, ready: Array) -> Array:
        """Return the earliest start of a task of a set on every processor, float64[P]."""
        cost = self.problem.cost[s]
        start = np.full(self.problem.processors, np.inf)
        for p in np.flatnonzero(np.isfinite(cost)).tolist():
            start[p] = self.lines[p].earliest(float(ready[p]), float(cost[p]), self._need[s])
        return start

    def place(self, s: int, j: int, processor: int, start: float) -> None:
        """Place task j of a set on a processor at a start, s."""
        cost = float(self.problem.cost[s, processor])
        self.lines[processor].insert(start, cost, self._need[s])
        task = self.first[s] + j
        self.processor[task] = processor
        self.start[task], self.finish[task] = start, start + cost

    def try_place(self, s: int, j: int, processor: int, start: float) -> Timeline:
        """Place a task tentatively; return the timeline with which `undo` takes it back."""
        saved = self.lines[processor].copy()
        self.place(s, j, processor, start)
        return saved

    def undo(self, s: int, j: int, processor: int, saved: Timeline) -> None:
        """Take back a task that `try_place` has placed."""
        self.lines[processor] = saved
        self.processor[self.first[s] + j] = -1

    def place_set(self, s: int, penalty: Array | None = None, first: int = 0) -> None:
        """Place the tasks of a set from `first` on, each where finish plus penalty[P] is least."""
        for j in range(first, int(self.problem.tasks[s])):
            start, finish = self.earliest(s, j)
            best = int(np.argmin(finish if penalty is None else finish + penalty))
            self.place(s, j, best, float(start[best]))

    def schedule(self) -> Schedule:
        """Return the schedule; all tasks must be placed."""
        return Schedule(self.processor, self.start, self.finish)


def shares_and_onward(problem: SchedulingProblem, schedule: Schedule) -> Array:
    """Return where a schedule has every set, and how far that is from others, float64[2, n, P].

    First the share of a set's tasks on every processor. Then the longest transfer of its output
    from there to its children, s: for each child the mean over the processors of its tasks.
    """
    sets, processors = len(problem), problem.processors
    owner = np.repeat(np.arange(sets), problem.tasks)
    share = np.zeros((sets, processors))
    np.add.at(share, (owner, schedule.processor), 1.0 / problem.tasks[owner])
    child = share[problem.edges[:, 1]]
    sent = child @ problem.latency.T
    sent = sent + problem.bytes[:, None] * (child @ problem.seconds_per_byte.T)
    onward = np.zeros((sets, processors))
    np.maximum.at(onward, problem.edges[:, 0], np.where(problem.bytes[:, None] > 0.0, sent, 0.0))
    return np.stack([share, onward])
