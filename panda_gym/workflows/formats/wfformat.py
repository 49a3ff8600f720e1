"""Read WfFormat of WfCommons, versions 1.4 to 1.6, checked by rules of our own.

1.4 is flat: workflow.tasks, references by name or id, and one end may declare an edge. From 1.5
on the specification (tasks, files) is separate from the execution (run times, machines),
references are ids and both ends declare an edge; 1.6 adds optional metrics. Unknown keys are
ignored, except `gpuCount` and `threadCount` of a task, which the schema lacks.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final

from panda_gym.errors import WorkflowError
from panda_gym.workflows.formats.documents import entry, expect, read_document
from panda_gym.workflows.taskset import MOST, TaskSet
from panda_gym.workflows.workflow import Edge, Workflow

VERSIONS: Final = ("1.4", "1.5", "1.6")
"""Versions that are read."""
_NUMBER: Final = re.compile(r"[-_.]?(ID)?\d+$")


def read_wfformat(path: str | Path) -> Workflow:
    """Read a workflow from a WfFormat file; every task becomes a set of one with its id."""
    path = Path(path)
    return from_wfformat(read_document(path), path.name)


def from_wfformat(document: dict[str, Any], where: str) -> Workflow:
    """Return the workflow of a WfFormat document; WorkflowError names the id that is not valid."""
    version = entry(document, "schemaVersion", str, where)
    if version not in VERSIONS:
        raise WorkflowError(
            f"schemaVersion {', '.join(VERSIONS)} in {where}", repr(version), "migrate the file"
        )
    name = entry(document, "name", str, where)
    body = entry(document, "workflow", dict, where)
    tasks, runs, sizes = (_flat if version == "1.4" else _split)(body, where)
    check_ids([task["id"] for task in tasks], where)
    return _workflow(name, tasks, runs, sizes, both_ends=version != "1.4")


def check_ids(ids: list[str], where: str) -> None:
    """Raise WorkflowError for an empty list or a duplicate id."""
    if not ids:
        raise WorkflowError(f"at least one task in {where}", "none", "add tasks")
    seen: set[str] = set()
    for task in ids:
        if task in seen:
            raise WorkflowError(f"unique task ids in {where}", f"{task!r} twice", "rename one")
        seen.add(task)


Parts = tuple[list[dict[str, Any]], dict[str, dict[str, Any]], dict[str, float]]


def _split(body: dict[str, Any], where: str) -> Parts:
    """Tasks, run records by id, file sizes by id of versions 1.5 and 1.6."""
    specification = entry(body, "specification", dict, where)
    tasks = _rows(specification, "tasks", where)
    sizes = {
        entry(file, "id", str, f"files of {where}"): _amount(
            file, "sizeInBytes", f"file {file['id']!r}"
        )
        for file in _rows(specification, "files", where, optional=True)
    }
    if "execution" not in body:
        raise WorkflowError(
            f"the run times of the tasks in {where}",
            "a specification without 'execution'",
            "add workflow.execution.tasks with runtimeInSeconds",
        )
    execution = entry(body, "execution", dict, where)
    runs: dict[str, dict[str, Any]] = {}
    for run in _rows(execution, "tasks", where):
        runs[entry(run, "id", str, f"execution of {where}")] = run
    for task in tasks:
        key = entry(task, "id", str, f"a task of {where}")
        for field in ("name",):
            entry(task, field, str, f"task {key!r}")
        for field in ("parents", "children"):
            _texts(entry(task, field, list, f"task {key!r}"), f"{field} of task {key!r}")
        for field in ("inputFiles", "outputFiles"):
            for file in _texts(task.get(field, []), f"{field} of task {key!r}"):
                if file not in sizes:
                    raise WorkflowError(
                        f"files of task {key!r} declared", f"{file!r} undeclared", "declare it"
                    )
    return tasks, runs, sizes


def _flat(body: dict[str, Any], where: str) -> Parts:
    """Return the parts of version 1.4, with references resolved to ids."""
    tasks = _rows(body, "tasks", where)
    sizes: dict[str, float] = {}
    found = []
    for raw in tasks:
        name = entry(raw, "name", str, f"a task of {where}")
        task = {**raw, "id": expect(raw.get("id", name), str, f"'id' of task {name!r}")}
        files = _rows(raw, "files", f"task {name!r}", optional=True)
        for file in files:
            label = entry(file, "name", str, f"a file of task {name!r}")
            sizes[label] = _amount(file, "sizeInBytes", f"file {label!r}")
        for link, field in (("input", "inputFiles"), ("output", "outputFiles")):
            task[field] = [f["name"] for f in files if str(f.get("link", "")).lower() == link]
        if "cores" in raw:
            task["coreCount"] = raw["cores"]
        found.append(task)
    check_ids([task["id"] for task in found], where)
    known = {task["name"]: task["id"] for task in found} | {
        task["id"]: task["id"] for task in found
    }
    for task in found:
        for field in ("parents", "children"):
            ends = _texts(task.get(field, []), f"{field} of task {task['id']!r}")
            task[field] = [_resolved(known, end, task["id"], field) for end in ends]
    return found, {task["id"]: task for task in found}, sizes


def _texts(value: Any, where: str) -> list[str]:
    return [expect(item, str, where) for item in expect(value, list, where)]


def _resolved(known: dict[str, str], end: str, task: str, field: str) -> str:
    if end not in known:
        raise WorkflowError(f"{field} of task {task!r} among the tasks", repr(end), "declare it")
    return known[end]


def _rows(
    table: dict[str, Any], key: str, where: str, optional: bool = False
) -> list[dict[str, Any]]:
    if optional and key not in table:
        return []
    rows = entry(table, key, list, where)
    return [expect(row, dict, f"{key}[{i}] of {where}") for i, row in enumerate(rows)]


def _amount(table: dict[str, Any], key: str, where: str) -> float:
    value = entry(table, key, (int, float), where)
    if not 0 <= value < MOST:
        raise WorkflowError(f"{key} of {where} from 0 to below {MOST:g}", f"{value}", "correct it")
    return float(value)


def _workflow(
    name: str, tasks: list[dict[str, Any]], runs: dict[str, dict[str, Any]],
    sizes: dict[str, float], both_ends: bool,
) -> Workflow:  # fmt: skip
    made_by = {file: task["id"] for task in tasks for file in task.get("outputFiles", [])}
    edges: dict[tuple[str, str], None] = {}
    ends = _ends(tasks)
    for parent, child in ends["children"] | ends["parents"]:
        if both_ends and (parent, child) not in ends["parents"]:
            _one_sided(child, "parent", parent)
        if both_ends and (parent, child) not in ends["children"]:
            _one_sided(parent, "child", child)
        edges[parent, child] = None
    reads = {task["id"]: set(task.get("inputFiles", [])) for task in tasks}
    writes = {task["id"]: set(task.get("outputFiles", [])) for task in tasks}
    sets = [_set(task, runs, sizes, made_by) for task in tasks]
    links = [
        Edge(p, c, "all", sum(sizes[file] for file in sorted(writes[p] & reads[c])))
        for p, c in edges
    ]
    return Workflow.of(name, sets, links)


def _ends(tasks: list[dict[str, Any]]) -> dict[str, dict[tuple[str, str], None]]:
    """Return the edges (parent, child) that children and that parents declare, in file order."""
    known = {task["id"] for task in tasks}
    ends: dict[str, dict[tuple[str, str], None]] = {"parents": {}, "children": {}}
    for task in tasks:
        for field in ends:
            for end in task[field]:
                if end not in known:
                    raise WorkflowError(
                        f"{field} of task {task['id']!r} among the tasks", repr(end), "declare it"
                    )
                edge = (end, task["id"]) if field == "parents" else (task["id"], end)
                ends[field][edge] = None
    return ends


def _one_sided(task: str, role: str, other: str) -> None:
    raise WorkflowError(
        "edges that both ends declare",
        f"{other!r} declares an edge to {task!r}, which lacks the {role} {other!r}",
        f"add it to task {task!r} or drop the edge",
    )


def _set(
    task: dict[str, Any], runs: dict[str, dict[str, Any]], sizes: dict[str, float],
    made_by: dict[str, str],
) -> TaskSet:  # fmt: skip
    key = task["id"]
    if key not in runs:
        raise WorkflowError(f"an execution of task {key!r}", "none", "add its runtimeInSeconds")
    run, where = runs[key], f"task {key!r}"
    inputs = [file for file in task.get("inputFiles", []) if file not in made_by]
    cores = _amount(run, "coreCount", where) if "coreCount" in run else 1.0
    if cores <= 0.0:
        raise WorkflowError(f"coreCount of {where} above 0", f"{cores:g}", "correct it")
    threads = _amount(run, "threadCount", where) if "threadCount" in run else 0.0
    gpus = _amount(run, "gpuCount", where) if "gpuCount" in run else 0.0
    memory = _amount(run, "memoryInBytes", where) if "memoryInBytes" in run else 0.0
    return TaskSet(
        id=key,
        mean_s=_amount(run, "runtimeInSeconds", where),
        kind=_NUMBER.sub("", task["name"]) or task["name"],
        cores=0 if threads else math.ceil(cores),
        threads=math.ceil(threads),
        gpus=math.ceil(gpus),
        memory_gb=memory / 1e9,
        input_bytes=sum(sizes[file] for file in inputs),
        output_bytes=sum(sizes[file] for file in task.get("outputFiles", [])),
    )
