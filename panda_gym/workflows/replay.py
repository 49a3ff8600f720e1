"""Recorded executions, from the start and stop of every task; knows rows, no dynamics.

A row: uid, pipeline, stage, hw_threads, gpus, start_s, stop_s (others are passed over).
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.workflows.execution import Execution, steps
from panda_gym.workflows.overheads import Overheads
from panda_gym.workflows.pool import Pool, needs
from panda_gym.workflows.taskset import TaskSet
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

COLUMNS: Final = ("uid", "pipeline", "stage", "hw_threads", "gpus", "start_s", "stop_s")


def read_recorded(path: str | Path, pool: Pool) -> Execution:
    """The execution that a CSV file of task rows records.

    A set is a stage of a pipeline with equal needs; the sets carry no edges, since the file
    names none. WorkflowError names the uid of a bad row.
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


def _row(path: Path, number: int, raw: dict[str, Any]) -> tuple[str, tuple[str, str, int, int], float, float]:
    uid = raw["uid"] or f"row {number + 1}"
    try:
        key = (raw["pipeline"], raw["stage"], int(raw["hw_threads"]), int(raw["gpus"]))
        start, stop = float(raw["start_s"]), float(raw["stop_s"])
    except (TypeError, ValueError) as error:
        raise WorkflowError(f"numbers for task {uid!r} of {path.name}", str(error), "correct it") from None
    if not 0.0 <= start <= stop < float("inf"):
        raise WorkflowError(
            f"0 <= start_s <= stop_s for task {uid!r} of {path.name}", f"{start}, {stop}", "correct it"
        )
    return uid, key, start, stop


def replay(name: str, rows: list[tuple[str, tuple[str, str, int, int], float, float]], pool: Pool) -> Execution:
    """The execution of task rows (uid, (pipeline, stage, threads, gpus), start, stop)."""
    keys = list(dict.fromkeys(key for _, key, _, _ in rows))
    order = sorted(range(len(rows)), key=lambda i: keys.index(rows[i][1]))
    start = np.array([rows[i][2] for i in order])
    stop = np.array([rows[i][3] for i in order])
    owner = np.array([keys.index(rows[i][1]) for i in order])
    count = np.bincount(owner, minlength=len(keys))
    mean = np.bincount(owner, weights=stop - start, minlength=len(keys)) / count
    sets = [
        TaskSet(
            f"{pipeline}.{stage}.{threads}.{gpus}", int(n), float(mu), stage, threads=threads, gpus=gpus
        )
        for (pipeline, stage, threads, gpus), n, mu in zip(keys, count, mean, strict=True)
    ]
    flow = Workflow.of(name, sets)
    return Execution(
        flow, pool.name, "recorded", np.tile(pool.node_capacity, (pool.nodes, 1)), (),
        needs(flow, pool.threads_per_core), start, stop, np.full(len(start), -1), start, Overheads(),
    )  # fmt: skip


def excess(run: Execution) -> Array:
    """Most that was held at once beyond the capacity of all nodes, int64[3]; 0: never exceeded."""
    return np.maximum(run.peak() - run.capacity.sum(axis=0), 0)


def by_stage(run: Execution) -> dict[str, tuple[float, float]]:
    """First start and last stop of every set by id, s."""
    return {
        name: (float(a), float(b))
        for name, a, b in zip(run.workflow.ids, run.set_start(), run.set_stop(), strict=True)
    }


def concurrency(run: Execution) -> tuple[Array, Array]:
    """How many sets run at once over time: (times, count from each on)."""
    one = np.ones(len(run.workflow), dtype=np.int64)
    return steps(run.set_start(), run.set_stop(), one)


def trimmed(run: Execution) -> Execution:
    """The same execution with its first start at 0."""
    first = run.start.min()
    return replace(run, start=run.start - first, stop=run.stop - first, placed=run.placed - first)
