"""Write files and folders atomically.

A writer works on a temporary name beside the target, which is renamed over it at the end, so that
a reader finds the old file, the new file, or none; never a part of one.
"""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from panda_gym.errors import InputError


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o644)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def check_room(path: str | Path, marker: str | None = None) -> None:
    """Refuse a path that holds something which may not be replaced; InputError.

    marker: file that shows an older folder of the same kind, which may be replaced; None: none.
    """
    path = Path(path)
    empty = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    if not empty and (marker is None or not (path / marker).is_file()):
        older = "" if marker is None else f", or an older one with {marker}"
        raise InputError(
            f"a new or empty folder{older}",
            f"{path}, which holds something else",
            "name another folder; nothing was written",
        )


@contextmanager
def whole_folder(path: str | Path, marker: str | None = None) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; put it in place of `path` if the block succeeds.

    An older folder is replaced only if it holds the file `marker`, see `check_room`.
    """
    check_room(path, marker)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield aside
        aside.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def forget_asides(path: str | Path) -> None:
    """Remove the temporary files that a killed writer of `path` left; no writer may be active."""
    path = Path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def sha256(path: str | Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
