"""Read the batch tasks of the Alibaba cluster trace of 2018, whose names state dependencies.

Columns: task_name, instance_num, job_name, task_type, status, start_time, end_time, plan_cpu (100
is a core), plan_mem (of an unknown unit: ignored). A header row with these names is skipped.
`M5_3_4` is task 5 of its job, which waits for tasks 3 and 4; so is `M5_3_4_`. The letters are
ignored. A task with any other name is independent.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from panda_gym.errors import WorkflowError
from panda_gym.workflows.taskset import TaskSet
from panda_gym.workflows.workflow import Edge, Workflow

COLUMNS: Final = (
    "task_name", "instance_num", "job_name", "task_type", "status",
    "start_time", "end_time", "plan_cpu", "plan_mem",
)  # fmt: skip
"""Columns of the file."""
_NAME: Final = re.compile(r"^[A-Za-z]+(\d+)((?:_\d+)*)(?:_Stg\d+)?_*$")


def parse_task_name(name: str) -> tuple[int, tuple[int, ...]] | None:
    """Return the number of a task and the numbers for which it waits; None for another name.

    >>> parse_task_name("M5_3_4")
    (5, (3, 4))
    >>> parse_task_name("J4_3_")
    (4, (3,))
    >>> parse_task_name("task_Nzg3ODAwNDgzMTAwNTc2NTQ2Mw==") is None
    True
    """
    found = _NAME.match(name)
    if found is None:
        return None
    return int(found[1]), tuple(int(part) for part in found[2].split("_")[1:])


def task_names(flow: Workflow) -> list[str]:
    """Return names that state a workflow's edges, for writing samples: `T<number>_<parents>`."""
    parents = flow.parents
    return [
        "_".join(
            [
                f"T{v + 1}",
                *(str(p + 1) for p in parents.node[parents.first[v] : parents.first[v + 1]]),
            ]
        )
        for v in range(len(flow))
    ]


def read_alibaba(path: str | Path, jobs: Collection[str] | None = None) -> dict[str, Workflow]:
    """Read the workflows of a batch_task.csv by job: of the whole file, or of the named jobs.

    Raises WorkflowError that names the line, task or job that is not valid.
    """
    path = Path(path)
    rows: dict[str, list[dict[str, str]]] = {}
    for row in _rows(path):
        if jobs is None or row["job_name"] in jobs:
            rows.setdefault(row["job_name"], []).append(row)
    missing = [job for job in jobs or () if job not in rows]
    if missing or not rows:
        wanted = f"job {missing[0]!r}" if missing else "jobs"
        raise WorkflowError(f"{wanted} in {path.name}", "none", "check the names of the jobs")
    return {job: _workflow(job, tasks) for job, tasks in rows.items()}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a file by column, without a header row."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, values in enumerate(csv.reader(file), start=1):
            if number == 1 and tuple(value.strip().lower() for value in values) == COLUMNS:
                continue
            if len(values) != len(COLUMNS):
                raise WorkflowError(
                    f"{len(COLUMNS)} columns in line {number} of {path.name}",
                    f"{len(values)}",
                    "check the file: is it cut off?",
                )
            yield dict(zip(COLUMNS, values, strict=True))


def _workflow(job: str, rows: list[dict[str, str]]) -> Workflow:
    names: dict[int, str] = {}
    parents: dict[str, tuple[int, ...]] = {}
    for row in rows:
        name = row["task_name"]
        parsed = parse_task_name(name)
        if parsed is None:
            continue
        number, parents[name] = parsed
        if number in names:
            came = f"{names[number]!r} and {name!r}"
            raise WorkflowError(f"unique task numbers in job {job!r}", came, "drop one")
        names[number] = name
    return Workflow.of(job, [_set(job, row) for row in rows], _edges(job, names, parents))


def _edges(job: str, names: dict[int, str], parents: dict[str, tuple[int, ...]]) -> list[Edge]:
    edges = []
    for name, numbers in parents.items():
        for number in numbers:
            if number not in names:
                needed = f"the parents of task {name!r} in job {job!r}"
                raise WorkflowError(needed, f"no task {number}", "add it")
            edges.append(Edge(names[number], name))
    return edges


def _set(job: str, row: dict[str, str]) -> TaskSet:
    name = row["task_name"]
    try:
        tasks = int(row["instance_num"] or 1)
        seconds = float(row["end_time"]) - float(row["start_time"])
        cores = max(math.ceil(float(row["plan_cpu"] or 100.0) / 100.0), 1)
    except ValueError as error:
        raise WorkflowError(
            f"numbers for task {name!r} of job {job!r}", str(error), "correct the row"
        ) from None
    kind = re.match(r"[A-Za-z]+", name)
    return TaskSet(name, max(tasks, 0), seconds, kind[0] if kind else name, cores=cores)
