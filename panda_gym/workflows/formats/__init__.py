"""Readers and writers of workflow files; `read_workflow` detects the format by content."""

from __future__ import annotations

from pathlib import Path

from panda_gym.errors import WorkflowError
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
    "read_wta",
    "write_sets",
    "write_wfformat",
]


def read_workflow(path: str | Path) -> Workflow:
    """Read a workflow of any known format: a file of sets, WfFormat, an Alibaba CSV, a WTA folder.

    A CSV or a folder must hold one workflow; else use its own reader.
    """
    path = Path(path)
    if path.is_dir():
        return _only(path, read_wta(path))
    if path.suffix == ".csv":
        return _only(path, read_alibaba(path))
    document = read_document(path)
    if document.get("format") == FORMAT:
        return from_sets(document, path.name)
    return from_wfformat(document, path.name)


def _only(path: Path, found: dict[str, Workflow]) -> Workflow:
    if len(found) != 1:
        shown = ", ".join(list(found)[:5])
        raise WorkflowError(
            f"one workflow in {path.name}", f"{len(found)} ({shown})", "read it by its own reader"
        )
    return next(iter(found.values()))
