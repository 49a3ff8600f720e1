"""The slow, obvious twin of the workflow kernel: SimPy, Python lists and no hints.

It states the same physics: at one instant ends come first, by task number, then arrivals, then
releases by group number; then everything ready is gone through by (priority, readiness).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import simpy

from panda_gym.workflows.barriers import barriers
from panda_gym.workflows.kernel_arrays import capacities, machine_arrays, need_on
from panda_gym.workflows.overheads import Overheads


class WorkflowTwin:
    """One execution, task by task."""

    def __init__(
        self, flow: Any, resource: Any, mode: str, priority: Any, durations: Any,
        overheads: Overheads | None = None, home: str | None = None,
    ) -> None:  # fmt: skip
        self.flow, self.durations, self.priority = flow, durations, priority
        self.overheads = overheads or Overheads()
        self.machine = machine_arrays(resource, self.overheads, home=home)
        self.free = [list(row) for row in capacities(resource).tolist()]
        self.whole = [list(row) for row in self.free]
        self.need = need_on(flow, resource)[0].tolist()
        self.sites = len(self.machine.slowness)
        self.bars = barriers(flow, mode)
        self.owner = flow.task_set().tolist()
        count = flow.total_tasks
        self.start, self.stop, self.node = np.zeros(count), np.zeros(count), np.zeros(count, int)
        self.site = [-1] * count
        self.ended = [False] * count
        self.released: set[int] = set()
        self.is_ready: set[int] = set()
        self.ready: list[int] = []
        self.order: list[int] = []
        self.queues: list[list[int]] = [[] for _ in range(self.sites)]
        self.placed: list[list[int]] = [[] for _ in range(self.sites)]
        self.now: list[tuple[int, int]] = []
        self.env = simpy.Environment()
        self.called = False

    def run(self) -> WorkflowTwin:
        """Run to the end."""
        for group in range(self.bars.groups):
            if not (self.bars.edges[:, 1] == group).any():
                self._later(0.0, 2, group)
        self._instant()
        self.env.run()
        return self

    def _later(self, delay: float, kind: int, number: int) -> None:
        """Something of a kind (0 end, 1 arrival, 2 release) happens a delay from now."""
        if delay == 0.0:
            self.now.append((kind, number))
        else:
            self.env.process(self._wait(delay, kind, number))

    def _wait(self, delay: float, kind: int, number: int) -> Any:
        yield self.env.timeout(delay)
        self.now.append((kind, number))
        if not self.called:
            self.called = True
            instant = self.env.event()
            instant._ok, instant._value = True, None
            instant.callbacks.append(lambda _: self._instant())
            self.env.schedule(instant, priority=9)  # after everything else of this instant

    def _instant(self) -> None:
        """Handle all that happens now, also what it brings about at once; then place."""
        self.called = False
        while self.now:
            while self.now:
                kind, number = min(self.now)
                self.now.remove((kind, number))
                (self._end, self._arrive, self._release)[kind](number)
            self._place_ready()

    def _release(self, group: int) -> None:
        self.released.add(group)
        for task in range(len(self.owner)):
            if self.bars.group[self.owner[task]] == group:
                self._maybe_ready(task)

    def _maybe_ready(self, task: int) -> None:
        waits = self.bars.task_edges[self.bars.task_edges[:, 1] == task, 0]
        if task in self.is_ready or self.bars.group[self.owner[task]] not in self.released:
            return
        if all(self.ended[parent] for parent in waits):
            self.is_ready.add(task)
            self.ready.append(task)
            self.order.append(task)

    def _fits(self, task: int, node: int) -> bool:
        need = self.need[self.owner[task]]
        return all(n <= f for n, f in zip(need, self.free[node], strict=True))

    def _nodes(self, site: int) -> range:
        return range(self.machine.site_first[site], self.machine.site_first[site + 1])

    def _start(self, task: int, node: int) -> None:
        for r, amount in enumerate(self.need[self.owner[task]]):
            self.free[node][r] -= amount
            assert self.free[node][r] >= 0
        self.start[task], self.node[task] = self.env.now, node
        run = (
            self.overheads.launch_s + self.durations[task] * self.machine.slowness[self.site[task]]
        )
        self._later(run, 0, task)

    def _arrive(self, task: int) -> None:
        queue = self.queues[self.site[task]]
        queue.append(task)
        self._drain(self.site[task])

    def _drain(self, site: int) -> None:
        queue = self.queues[site]
        while queue:
            spots = [node for node in self._nodes(site) if self._fits(queue[0], node)]
            if not spots:
                return
            self._start(queue.pop(0), spots[0])

    def _end(self, task: int) -> None:
        self.stop[task], self.ended[task] = self.env.now, True
        for r, amount in enumerate(self.need[self.owner[task]]):
            self.free[self.node[task]][r] += amount
        self.placed[self.site[task]].remove(task)
        self._groups_after(task)
        for child in self.bars.task_edges[self.bars.task_edges[:, 0] == task, 1]:
            self._maybe_ready(int(child))
        self._drain(self.site[task])

    def _groups_after(self, task: int) -> None:
        group = self.bars.group[self.owner[task]]
        if not self._over(group):
            return
        for child in self.bars.edges[self.bars.edges[:, 0] == group, 1]:
            parents = self.bars.edges[self.bars.edges[:, 1] == child, 0]
            if all(self._over(parent) for parent in parents):
                self._later(self.overheads.gap_s, 2, int(child))

    def _over(self, group: int) -> bool:
        return all(self.ended[t] for t, s in enumerate(self.owner) if self.bars.group[s] == group)

    def _place_ready(self) -> None:
        serial = {task: i for i, task in enumerate(self.order)}
        for task in sorted(self.ready, key=lambda t: (self.priority[self.owner[t]], serial[t])):
            if self.sites == 1:
                if not any(self._fits(task, node) for node in self._nodes(0)):
                    continue
                site = 0
            else:
                site = self._choose(task)
            self.ready.remove(task)
            self.site[task] = site
            self.placed[site].append(task)
            delay = self._stage_in(task, site)
            if delay > 0.0:
                self._later(delay, 1, task)
            else:
                self._arrive(task)

    def _choose(self, task: int) -> int:
        best, best_end = -1, np.inf
        for site in range(self.sites):
            need, whole = self.need[self.owner[task]], self.whole[site]
            if any(n > w for n, w in zip(need, whole, strict=True)):
                continue
            taken = [sum(self.need[self.owner[t]][r] for t in self.placed[site]) for r in range(3)]
            wait = 0.0
            if any(a + n > w for a, n, w in zip(taken, need, whole, strict=True)):
                wait = sum(self._expected(t, site) * self.need[self.owner[t]][0]
                           for t in self.placed[site]) / whole[0]  # fmt: skip
            end = max(wait, self._stage_in(task, site)) + self._expected(task, site)
            if best < 0 or end < best_end - 1e-6:
                best, best_end = site, end
        return best

    def _expected(self, task: int, site: int) -> float:
        mean = self.flow.mean_s[self.owner[task]]
        return self.overheads.launch_s + mean * self.machine.slowness[site]

    def _transfer(self, source: int, site: int, size: float) -> float:
        if source == site:
            return 0.0
        return self.machine.latency[source, site] + size / self.machine.bandwidth[source, site]

    def _stage_in(self, task: int, site: int) -> float:
        if self.sites == 1:
            return 0.0
        s, times = self.owner[task], [0.0]
        if self.machine.home >= 0 and self.flow.input_bytes[s] > 0:
            times.append(self._transfer(self.machine.home, site, self.flow.input_bytes[s]))
        for k, (parent, child) in enumerate(self.flow.edges):
            size = self.flow.edge_bytes[k]
            if child != s or size <= 0:
                continue
            makers = [t for t, o in enumerate(self.owner) if o == parent]
            if self.flow.each[k]:
                mine = [t for t, o in enumerate(self.owner) if o == s]
                j, n, m = mine.index(task), len(makers), len(mine)
                low = j * n // m
                makers = makers[low : max(int(np.ceil((j + 1) * n / m)), low + 1)]
                times += [self._transfer(self.site[t], site, size / len(makers)) for t in makers]
                continue
            for source in {self.site[t] for t in makers}:
                share = sum(self.site[t] == source for t in makers) / len(makers)
                times.append(self._transfer(source, site, size * share))
        return max(times)
