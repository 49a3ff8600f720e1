"""Read and write the project's own JSON file of task sets.

```json

{"format": "panda-grid-workflow", "version": 1, "name": "...",
 "sets": [{"id": "A", "tasks": 8, "cores": 1, "mean_s": 60.0, ...fields of TaskSet}],
 "edges": [{"parent": "A", "child": "B", "relation": "all", "bytes": 1e9}],
 "stage": {"A": 0}, "pipeline": {"A": 0},
 "pool": {"name": "...", "nodes": 16, "threads": 168, "gpus": 6}}
```

Only format, version, name and sets are required.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from panda_gym.deprecated import FIELDS, renamed_keywords
from panda_gym.errors import WorkflowError, nearest
from panda_gym.workflows.formats.documents import entry, expect, read_document, write_document
from panda_gym.workflows.pool import Pool
from panda_gym.workflows.taskset import DISTRIBUTION_NAMES, TaskSet
from panda_gym.workflows.workflow import Edge, Workflow

FORMAT: Final = "panda-grid-workflow"
"""Value of the key `format`."""
VERSION: Final = 1
"""Value of the key `version`."""
_NUMBERS: Final = (
    "tasks", "mean_s", "sd_s", "cores", "threads", "gpus", "memory_gb", "input_bytes",
    "output_bytes",
)  # fmt: skip


def read_sets(path: str | Path) -> Workflow:
    """Read a workflow from a file of task sets; WorkflowError names the id that is not valid."""
    path = Path(path)
    return from_sets(read_document(path), path.name)


def from_sets(document: dict[str, Any], where: str) -> Workflow:
    """Return the workflow of a document of task sets."""
    _check_head(document, where)
    name = entry(document, "name", str, where)
    raw = entry(document, "sets", list, where)
    sets = [_made(TaskSet, row, f"sets[{i}] of {where}") for i, row in enumerate(raw)]
    edges = [
        _made(Edge, row, f"edges[{i}] of {where}")
        for i, row in enumerate(expect(document.get("edges", []), list, f"'edges' in {where}"))
    ]
    stage, pipeline = (
        expect(document[label], dict, f"{label!r} in {where}") if label in document else None
        for label in ("stage", "pipeline")
    )
    return Workflow.of(name, sets, edges, stage=stage, pipeline=pipeline)


def pool_of(document: dict[str, Any], where: str) -> Pool | None:
    """Return the pool of a document of task sets, or None."""
    return _made(Pool, document["pool"], f"'pool' of {where}") if "pool" in document else None


def write_sets(path: str | Path, flow: Workflow, pool: Pool | None = None) -> None:
    """Write a workflow as a file of task sets that `read_sets` reads back."""
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION, "name": flow.name}
    document |= {"sets": _set_rows(flow), "edges": _edge_rows(flow)}
    for label in ("stage", "pipeline"):
        values = getattr(flow, label)
        if values is not None:
            document[label] = dict(zip(flow.ids, np.asarray(values).tolist(), strict=True))
    if pool is not None:
        document["pool"] = asdict(pool)
    write_document(path, document)


def _set_rows(flow: Workflow) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "kind": flow.kind_names[flow.kind[i]],
            "distribution": DISTRIBUTION_NAMES[flow.distribution[i]],
            **{field: getattr(flow, field)[i].item() for field in _NUMBERS},
        }
        for i, name in enumerate(flow.ids)
    ]


def _edge_rows(flow: Workflow) -> list[dict[str, Any]]:
    return [
        {
            "parent": flow.ids[p],
            "child": flow.ids[c],
            "relation": "each" if flow.each[k] else "all",
            "bytes": float(flow.edge_bytes[k]),
        }
        for k, (p, c) in enumerate(flow.edges)
    ]


def _check_head(document: dict[str, Any], where: str) -> None:
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise WorkflowError(
            f"format {FORMAT!r} version {VERSION} in {where}",
            f"{document.get('format')!r} version {document.get('version')!r}",
            "convert the file",
        )


def _made(kind: Any, row: Any, where: str) -> Any:
    row = renamed_keywords(expect(row, dict, where), FIELDS.get(kind.__name__, {}))
    known = kind._fields if issubclass(kind, tuple) else tuple(f.name for f in fields(kind))
    for key in row:
        if key not in known:
            raise WorkflowError(f"a field of {where}", repr(key), nearest(key, known))
    try:
        return kind(**row)
    except TypeError:
        missing = [key for key in known[:4] if key not in row]
        raise WorkflowError(
            f"all fields of {where}", f"none called {missing[0]!r}", f"add {missing[0]!r}"
        ) from None
