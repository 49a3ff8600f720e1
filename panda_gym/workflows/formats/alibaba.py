"""The batch tasks of the Alibaba cluster trace of 2018: names that say dependencies.

Columns, without a header: task_name, instance_num, job_name, task_type, status, start_time,
end_time, plan_cpu (100 is a core), plan_mem (of an unknown unit: passed over). `M5_3_4` is task
5 of its job, after tasks 3 and 4; the letters mean nothing here; any other name is independent.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from panda_gym.errors import WorkflowError
from panda_gym.workflows.taskset import TaskSet
from panda_gym.workflows.workflow import Edge, Workflow

COLUMNS: Final = (
    "task_name", "instance_num", "job_name", "task_type", "status",
    "start_time", "end_time", "plan_cpu", "plan_mem",
)  # fmt: skip
_NAME: Final = re.compile(r"^[A-Za-z]+(\d+)((?:_\d+)*)(?:_Stg\d+)?$")


def parse_task_name(name: str) -> tuple[int, tuple[int, ...]] | None:
    """Number of a task and the numbers that it waits for; None if the name says nothing.

    >>> parse_task_name("M5_3_4")
    (5, (3, 4))
    >>> parse_task_name("task_Nzg3ODAwNDgzMTAwNTc2NTQ2Mw==") is None
    True
    """
    found = _NAME.match(name)
    if found is None:
        return None
    return int(found[1]), tuple(int(part) for part in found[2].split("_")[1:])


def task_names(flow: Workflow) -> list[str]:
    """Names that say a workflow's edges, for writing samples: `T<number>_<parents>`."""
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
    """Workflows of a batch_task.csv by job; of the whole file, or of the named jobs only."""
    path = Path(path)
    rows: dict[str, list[dict[str, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for number, values in enumerate(csv.reader(file), start=1):
            if len(values) != len(COLUMNS):
                raise WorkflowError(
                    f"{len(COLUMNS)} columns in line {number} of {path.name}",
                    f"{len(values)}",
                    "check the file: is it cut off?",
                )
            row = dict(zip(COLUMNS, values, strict=True))
            if jobs is None or row["job_name"] in jobs:
                rows.setdefault(row["job_name"], []).append(row)
    if not rows:
        raise WorkflowError(f"jobs in {path.name}", "none", "check the names of the jobs")
    return {job: _workflow(job, tasks) for job, tasks in rows.items()}


def _workflow(job: str, rows: list[dict[str, str]]) -> Workflow:
    sets: list[TaskSet] = []
    numbered: dict[int, str] = {}
    after: list[tuple[str, tuple[int, ...]]] = []
    for row in rows:
        name = row["task_name"]
        sets.append(_set(job, row))
        parsed = parse_task_name(name)
        if parsed is None:
            continue
        number, parents = parsed
        if number in numbered:
            raise WorkflowError(
                f"unique task numbers in job {job!r}",
                f"{numbered[number]!r} and {name!r}",
                "drop one",
            )
        numbered[number] = name
        after.append((name, parents))
    edges = []
    for name, parents in after:
        for parent in parents:
            if parent not in numbered:
                raise WorkflowError(
                    f"the parents of task {name!r} in job {job!r}", f"no task {parent}", "add it"
                )
            edges.append(Edge(numbered[parent], name))
    return Workflow.of(job, sets, edges)


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
