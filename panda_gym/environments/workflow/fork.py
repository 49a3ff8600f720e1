"""Copies of running workflows for planners, which foretell nothing.

In a copy every task that has not ended takes its expected duration, not the one that was drawn.
Where durations are certain (`random:layered`), a copy is exact.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

Array = np.ndarray


def fork(batch: Any, copies: int = 1) -> Any:
    """Return a batch of E x copies executions that stand where those of `batch` do.

    The copies of an execution stand side by side. They can be stepped, not begun anew. What never
    changes is shared.
    """
    rows = np.repeat(np.arange(len(batch)), copies)
    aside = copy.copy(batch)
    aside.num_envs, aside.action_shape = len(rows), (len(rows),)
    aside.journal = aside.on_end = None
    for name in ("started", "which", "illegal", "_state", "_residual", "view"):
        setattr(aside, name, rows_of(getattr(batch, name), rows))
    for e in range(len(rows)):
        if aside.workflow(e).sd_s.any():
            expect(aside, e)
    return aside


def rows_of(table: Any, rows: Array) -> Any:
    """Return the rows of an array, or of a tuple of arrays, copied."""
    if isinstance(table, np.ndarray):
        return table[rows]
    return type(table)(*(rows_of(part, rows) for part in table))


def expect(batch: Any, e: int) -> None:
    """Give the tasks of execution e that have not ended their expected durations."""
    flow, state, machine = batch.workflow(e), batch._state, batch._machine
    tasks, run = state.tasks[e, : flow.total_tasks], state.run[e]
    events = state.events[e, : run["events"]]
    mean = flow.mean_s[flow.task_set()]
    running = events["job"] < flow.total_tasks
    codes = events["job"][running]
    site = tasks["site"][codes]
    ends = tasks["start"][codes] + machine.launch_s + mean[codes] * machine.slowness[site]
    events["time"][running] = np.maximum(ends, run["clock"])
    events[:] = np.sort(events, order=("time", "job"))  # a sorted array is a heap
    tasks["duration"] = mean  # of no more consequence where a task has ended
    run["work_left"] = state.sets["unfinished"][e, : len(flow)] @ flow.mean_s
