"""Write WfFormat 1.5: a simulated execution, or a workflow with its mean run times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.errors import WorkflowError
from panda_gym.workflows.barriers import each_edges
from panda_gym.workflows.execution import Execution
from panda_gym.workflows.formats.documents import write_document
from panda_gym.workflows.formats.wfformat import from_wfformat
from panda_gym.workflows.workflow import Workflow

Array = np.ndarray

VERSION: Final = "1.5"
"""Version that is written."""
MOST_EDGES: Final = 2_000_000
"""Most edges between tasks; an edge between sets becomes tasks x tasks edges of the format."""
_ID: Final = re.compile(r"^[0-9a-zA-Z\-_.#]+$")
EPOCH: Final = "1970-01-01T00:00:00+00:00"
"""Default time of second 0."""


def write_wfformat(
    path: str | Path, source: Execution | Workflow, began: str = EPOCH, threads_per_core: int = 1
) -> None:
    """Write WfFormat 1.5 after checking it by the reader's rules.

    A set of one task keeps its id; task j of a larger set is `<id>.<j>`. The machines are the
    nodes of an execution; `began` is the time (ISO 8601) of its second 0. The additional keys
    `gpuCount` and `threadCount` hold GPUs and hardware threads; coreCount is then threads over
    `threads_per_core`, rounded up. WorkflowError if an id is not allowed or edges are too many.
    """
    run = source if isinstance(source, Execution) else None
    flow = run.workflow if run is not None else source
    assert isinstance(flow, Workflow)
    names = _names(flow)
    edges = _task_edges(flow)
    document = {
        "name": flow.name,
        "description": "Simulated execution" if run is not None else "Workflow",
        "createdAt": began,
        "schemaVersion": VERSION,
        "workflow": {
            "specification": _specification(flow, names, edges),
            "execution": _execution(flow, names, run, began, threads_per_core),
        },
    }
    from_wfformat(document, Path(path).name)
    write_document(path, document)


def _names(flow: Workflow) -> list[str]:
    names = []
    for name, count in zip(flow.ids, flow.tasks, strict=True):
        if not _ID.match(name):
            raise WorkflowError(
                "ids of letters, digits and - _ . # for WfFormat", repr(name), "rename the set"
            )
        names += [name] if count == 1 else [f"{name}.{j}" for j in range(count)]
    return names


def _task_edges(flow: Workflow) -> Array:
    """Return the edges between tasks, int64[k, 2], sorted."""
    wide = flow.edges[~flow.each]
    count = int((flow.tasks[wide[:, 0]].astype(np.int64) * flow.tasks[wide[:, 1]]).sum())
    if count > MOST_EDGES:
        raise WorkflowError(
            f"at most {MOST_EDGES} edges between tasks",
            f"{count} in {flow.name!r}",
            "write it with write_sets",
        )
    blocks = [each_edges(flow)]
    for p, c in wide:
        parents = np.arange(flow.first_task[p], flow.first_task[p + 1])
        children = np.arange(flow.first_task[c], flow.first_task[c + 1])
        blocks.append(np.stack(np.meshgrid(parents, children), axis=-1).reshape(-1, 2))
    return np.unique(np.concatenate(blocks), axis=0)


def _specification(flow: Workflow, names: list[str], edges: Array) -> dict[str, Any]:
    tasks: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []
    for name, s in zip(names, flow.task_set(), strict=True):
        task: dict[str, Any] = {"name": flow.kind_names[flow.kind[s]], "id": name}
        task |= {"parents": [], "children": [], "inputFiles": [], "outputFiles": []}
        for end, field, size in (
            ("in", "inputFiles", flow.input_bytes[s]),
            ("out", "outputFiles", flow.output_bytes[s]),
        ):
            if size > 0.0:
                task[field].append(f"{name}.{end}")
                files.append({"id": f"{name}.{end}", "sizeInBytes": round(size)})
        tasks.append(task)
    for p, c in edges:
        tasks[p]["children"].append(names[c])
        tasks[c]["parents"].append(names[p])
        # NOTE[DIFF] WfFormat has no bytes per edge: a child reads the whole output file.
        tasks[c]["inputFiles"] += tasks[p]["outputFiles"]
    return {"tasks": tasks, "files": files}


def _execution(
    flow: Workflow, names: list[str], run: Execution | None, began: str, per_core: int
) -> dict[str, Any]:
    owner = flow.task_set()
    runtime = flow.mean_s[owner] if run is None else run.stop - run.start
    zero = datetime.fromisoformat(began)
    tasks = []
    for i, (name, s) in enumerate(zip(names, owner, strict=True)):
        task: dict[str, Any] = {"id": name, "runtimeInSeconds": float(runtime[i])}
        task["coreCount"] = int(max(flow.cores[s], -(-flow.threads[s] // per_core)))
        if flow.threads[s]:
            task["threadCount"] = int(flow.threads[s])
        if flow.gpus[s]:
            task["gpuCount"] = int(flow.gpus[s])
        if flow.memory_gb[s] > 0.0:
            task["memoryInBytes"] = float(flow.memory_gb[s] * 1e9)
        if run is not None:
            stamp = zero.timestamp() + float(run.start[i])
            task["executedAt"] = datetime.fromtimestamp(stamp, tz=UTC).isoformat()
            if run.node_names:
                task["machines"] = [run.node_names[run.node[i]]]
        tasks.append(task)
    made: dict[str, Any] = {
        "makespanInSeconds": 0.0 if run is None else run.ttx_s,
        "executedAt": began,
        "tasks": tasks,
    }
    if run is not None and run.node_names:
        made["machines"] = [
            {"nodeName": name, "cpu": {"coreCount": int(run.capacity[i, 0])}}
            for i, name in enumerate(run.node_names)
        ]
    return made
