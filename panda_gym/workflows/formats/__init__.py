"""Readers and writers of workflow files; `read_workflow` detects the format by content."""

from __future__ import annotations

from pathlib import Path

from panda_gym.errors import WorkflowError, nearest
from panda_gym.workflows.formats.alibaba import read_alibaba
from panda_gym.workflows.formats.documents import read_document
from panda_gym.workflows.formats.setfile import FORMAT, from_sets, read_sets, write_sets
from panda_gym.workflows.formats.wfformat import from_wfformat, read_wfformat
from panda_gym.workflows.formats.wfformat_export import write_wfformat
from panda_gym.workflows.formats.wta import read_wta
from panda_gym.workflows.workflow import Workflow

__all__ = [
    "read_alibaba",
    "read_sets",
    "read_wfformat",
    "read_workflow",
    "read_workflows",
    "read_wta",
    "write_sets",
    "write_wfformat",
]


def read_workflow(path: str | Path, name: str | None = None) -> Workflow:
    """Read one workflow of any known format, see `read_workflows`.

    `name` selects a workflow of a file that holds several. Raises WorkflowError if it is unknown,
    or if it is None and there are several.
    """
    found = read_workflows(path)
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name in found:
        return found[name]
    if name is not None:
        needed = f"a workflow of {Path(path).name}"
        raise WorkflowError(needed, repr(name), nearest(name, found))
    shown = ", ".join([*list(found)[:5], *(["..."] if len(found) > 5 else [])])
    needed, came = f"one workflow in {Path(path).name}", f"{len(found)} ({shown})"
    raise WorkflowError(needed, came, "name one: --job NAME, or name= in Python")


def read_workflows(path: str | Path) -> dict[str, Workflow]:
    """Read all workflows of a file or folder by name; the format is detected by content.

    Formats: a file of task sets, WfFormat, a CSV of Alibaba, a folder of the Workflow Trace
    Archive. Only the last two hold several workflows.
    """
    path = Path(path)
    if path.is_dir():
        return read_wta(path)
    if path.suffix == ".csv":
        return read_alibaba(path)
    document = read_document(path)
    reader = from_sets if document.get("format") == FORMAT else from_wfformat
    flow = reader(document, path.name)
    return {flow.name: flow}
