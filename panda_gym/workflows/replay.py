"""Read recorded executions from the start and stop of every task.

A row holds uid, pipeline, stage, hw_threads, gpus, start_s, stop_s; other columns are ignored.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.workflows.execution import Execution, steps
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import Pool, needs
from panda_gym.workflows.taskset import TaskSet
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

COLUMNS: Final = ("uid", "pipeline", "stage", "hw_threads", "gpus", "start_s", "stop_s")
"""Required columns."""


def read_recorded(path: str | Path, pool: Pool) -> Execution:
    """Read the execution that a CSV file of task rows records.

    A set is a stage of a pipeline with equal needs. Sets have no edges, since the file names
    none. WorkflowError names the uid of a bad row.
    """
    path = Path(path)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise WorkflowError(
                f"columns {', '.join(COLUMNS)} in {path.name}",
                f"none called {missing[0]!r}",
                "add the column",
            )
        rows = [_row(path, i, raw) for i, raw in enumerate(reader)]
    if not rows:
        raise WorkflowError(f"tasks in {path.name}", "no row", "record at least one task")
    return replay(path.stem, rows, pool)


class RecordedTask(NamedTuple):
    """Recorded task: times in s."""

    uid: str
    pipeline: str
    stage: str
    threads: int
    gpus: int
    start_s: float
    stop_s: float


def _row(path: Path, number: int, raw: dict[str, Any]) -> RecordedTask:
    uid = raw["uid"] or f"row {number + 1}"
    try:
        threads, gpus = int(raw["hw_threads"]), int(raw["gpus"])
        row = RecordedTask(
            uid, raw["pipeline"], raw["stage"], threads, gpus,
            float(raw["start_s"]), float(raw["stop_s"]),
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        raise WorkflowError(
            f"numbers for task {uid!r} of {path.name}", str(error), "correct the row"
        ) from None
    if not 0.0 <= row.start_s <= row.stop_s < float("inf"):
        raise WorkflowError(
            f"0 <= start_s <= stop_s for task {uid!r} of {path.name}",
            f"{row.start_s}, {row.stop_s}",
            "correct the row",
        )
    return row


def replay(name: str, rows: list[RecordedTask], pool: Pool) -> Execution:
    """Return the execution of recorded tasks; stages are in the order of a pipeline's starts."""
    rows = sorted(rows, key=lambda row: (row.pipeline, row.start_s, row.uid))
    visits = _visits(rows)
    keys = [(r.pipeline, v, r.stage, r.threads, r.gpus) for r, v in zip(rows, visits, strict=True)]
    code = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    owner = np.array([code[key] for key in keys])
    order = np.argsort(owner, kind="stable")
    start = np.array([row.start_s for row in rows])[order]
    stop = np.array([row.stop_s for row in rows])[order]
    count = np.bincount(owner, minlength=len(code))
    mean = np.bincount(owner[order], weights=stop - start, minlength=len(code)) / count
    flow = _workflow(name, list(code), count, mean)
    return Execution(
        flow, pool.name, "recorded", np.tile(pool.node_capacity, (pool.nodes, 1)), (),
        needs(flow, pool.threads_per_core), start, stop, np.full(len(start), -1), start,
        Overheads(),
    )  # fmt: skip


def _workflow(
    name: str, keys: list[tuple[str, int, str, int, int]], count: Array, mean: Array
) -> Workflow:
    """Return the workflow of sets by (pipeline, visit, stage, threads, GPUs)."""
    names = [f"{key[0]}.{key[2]}.{key[1]}.{i}" for i, key in enumerate(keys)]
    sets = [
        TaskSet(label, int(n), float(mu), key[2], threads=key[3], gpus=key[4])
        for label, key, n, mu in zip(names, keys, count, mean, strict=True)
    ]
    lines = {line: i for i, line in enumerate(dict.fromkeys(key[0] for key in keys))}
    stage = {label: key[1] for label, key in zip(names, keys, strict=True)}
    pipeline = {label: lines[key[0]] for label, key in zip(names, keys, strict=True)}
    return Workflow.of(name, sets, stage=stage, pipeline=pipeline)


def _visits(rows: list[RecordedTask]) -> list[int]:
    """Number every row's stage within its pipeline, since a stage may come again."""
    visits: list[int] = []
    for i, row in enumerate(rows):
        if i == 0 or row.pipeline != rows[i - 1].pipeline:
            visits.append(0)
        else:
            visits.append(visits[-1] + (row.stage != rows[i - 1].stage))
    return visits


def excess(run: Execution) -> Array:
    """Return the peak use beyond the capacity of all nodes, int64[3]; 0: never exceeded."""
    return np.maximum(run.peak() - run.capacity.sum(axis=0), 0)


def concurrency(run: Execution) -> tuple[Array, Array]:
    """Return the number of sets that run at once over time: (times s, count from each on).

    Sets of one stage of one pipeline, where both are labelled, count as one.
    """
    start, stop, flow = run.set_start(), run.set_stop(), run.workflow
    if flow.stage is not None and flow.pipeline is not None:
        labels = np.stack([flow.pipeline, flow.stage], axis=1)
        _, group = np.unique(labels, axis=0, return_inverse=True)
        first = np.full(group.max() + 1, np.inf)
        last = np.zeros(group.max() + 1)
        np.minimum.at(first, group.ravel(), start)
        np.maximum.at(last, group.ravel(), stop)
        start, stop = first, last
    return steps(start, stop, np.ones(len(start), dtype=np.int64))
