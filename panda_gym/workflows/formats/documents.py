"""Read and write JSON documents, with errors that name the place of a wrong entry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from panda_gym.errors import WorkflowError
from panda_gym.files import whole_file


def read_document(path: str | Path) -> dict[str, Any]:
    """Return the JSON object of a file; WorkflowError if it is damaged or not an object."""
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise WorkflowError(f"UTF-8 text in {path.name}", str(error), "check the file") from None
    except json.JSONDecodeError as error:
        raise WorkflowError(
            f"whole JSON in {path.name}", str(error), "check the file: is it cut off?"
        ) from None
    except RecursionError:
        raise WorkflowError(
            f"JSON of a workflow in {path.name}", "brackets nested too deep", "check the file"
        ) from None
    return expect(document, dict, path.name)


def write_document(path: str | Path, document: dict[str, Any]) -> None:
    """Write a JSON object atomically; ValueError for NaN and infinity."""
    with whole_file(path) as aside:
        aside.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def expect(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    """Return `value` if it is of a type (a bool is no number); else WorkflowError with `where`."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(k.__name__ for k in kinds)
        raise WorkflowError(f"{wanted} as {where}", f"{_short(value)}", "correct the file")
    return value


def entry(table: dict[str, Any], key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """Return `table[key]` of a type; WorkflowError if it is missing or of another type."""
    if key not in table:
        raise WorkflowError(f"{key!r} in {where}", "nothing", f"add {key!r}")
    return expect(table[key], kind, f"{key!r} in {where}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
