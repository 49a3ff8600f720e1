"""Read the Parquet tables of the Workflow Trace Archive, their minimal columns only.

tasks: id, workflow_id, ts_submit [ms], runtime [ms], resource_amount_requested, parents (list).
workflows: id, task_count. A folder holds their files below `tasks` and `workflows`, at any depth.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from panda_gym.errors import WorkflowError
from panda_gym.workflows.taskset import TaskSet
from panda_gym.workflows.workflow import Edge, Workflow

TASK_COLUMNS: Final = (
    "id", "workflow_id", "ts_submit", "runtime", "resource_amount_requested", "parents",
)  # fmt: skip
"""Required columns of `tasks`."""
WORKFLOW_COLUMNS: Final = ("id", "task_count")
"""Required columns of `workflows`."""


def read_wta(folder: str | Path) -> dict[str, Workflow]:
    """Read the workflows of a trace by id; every task becomes a set of one.

    WorkflowError names the task or workflow that is not valid.
    """
    folder = Path(folder)
    counts = {
        str(row["id"]): int(row["task_count"])
        for row in _rows(folder, "workflows", WORKFLOW_COLUMNS)
    }
    tasks: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(folder, "tasks", TASK_COLUMNS):
        tasks.setdefault(str(row["workflow_id"]), []).append(row)
    found = {}
    for name, count in counts.items():
        rows = tasks.get(name, [])
        if len(rows) != count:
            raise WorkflowError(
                f"{count} tasks of workflow {name!r} in {folder.name}",
                f"{len(rows)}",
                "check tasks/",
            )
        found[name] = _workflow(name, rows)
    return found


def _rows(folder: Path, table: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted((folder / table).rglob("*.parquet"))
    if not files:
        raise WorkflowError(
            f"Parquet files below {folder.name}/{table}", "none", "check the trace's folder"
        )
    rows: list[dict[str, Any]] = []
    for file in files:
        try:
            present = pq.read_schema(file).names
            missing = [name for name in columns if name not in present]
            if missing:
                raise WorkflowError(
                    f"columns {', '.join(columns)} in {file.name}",
                    f"none called {missing[0]!r}",
                    "check the trace's version",
                )
            rows += pq.read_table(file, columns=list(columns), partitioning=None).to_pylist()
        except pa.ArrowInvalid as error:
            raise WorkflowError(
                f"Parquet in {file.name}", str(error)[:80], "check the file"
            ) from None
    return rows


def _workflow(name: str, rows: list[dict[str, Any]]) -> Workflow:
    rows = sorted(rows, key=lambda row: (row["ts_submit"] or 0, str(row["id"])))
    sets, edges = [], []
    known = {str(row["id"]) for row in rows}
    for row in rows:
        task = str(row["id"])
        cores = row["resource_amount_requested"]
        sets.append(
            TaskSet(
                task,
                mean_s=float("nan") if row["runtime"] is None else row["runtime"] / 1000.0,
                kind="task",
                cores=1 if cores is None or cores < 0 else math.ceil(cores),
            )
        )
        for parent in row["parents"] or ():
            if str(parent) not in known:
                raise WorkflowError(
                    f"parents of task {task!r} in workflow {name!r}",
                    repr(str(parent)),
                    "add the task",
                )
            edges.append(Edge(str(parent), task))
    return Workflow.of(name, sets, edges)
