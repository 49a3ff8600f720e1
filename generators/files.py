"""Write a generator's folder of JSON and safetensors atomically, and read it back.

A generator is stored as two files: `generator.json` (settings and schema, with a digest of its
own text and the SHA-256 of the weights) and `weights.safetensors` (arrays). Neither can carry
code. A reader meets the old folder, the new one, or none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as dump_arrays

from generators.errors import GeneratorError

META, WEIGHTS = "generator.json", "weights.safetensors"
FORMAT = "generators/1"


def write_folder(
    folder: str | Path, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write settings and arrays to `folder`; replace an older generator, nothing else."""
    folder = Path(folder)
    if folder.exists() and not (folder / META).is_file() and not _empty_folder(folder):
        raise GeneratorError(
            "a new folder or one that holds a generator",
            f"{folder}, which holds something else",
            "name another folder; nothing was written",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        weights = dump_arrays({key: np.ascontiguousarray(a) for key, a in arrays.items()})
        body = {"format": FORMAT, **meta, "weights_sha256": hashlib.sha256(weights).hexdigest()}
        (aside / WEIGHTS).write_bytes(weights)
        text = json.dumps({**body, "digest": _digest(body)}, indent=1, allow_nan=False)
        (aside / META).write_text(text, encoding="utf-8")
        aside.chmod(0o755)
        _put_in_place(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_folder(folder: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return settings and arrays of a folder; refuse a damaged, altered or foreign one."""
    folder = Path(folder)
    if not (folder / META).is_file() or not (folder / WEIGHTS).is_file():
        raise GeneratorError(
            f"a folder with {META} and {WEIGHTS}", f"{folder}", "name a folder that .save() wrote"
        )
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        weights = (folder / WEIGHTS).read_bytes()
        digest = meta.pop("digest", None)
        if meta.get("format") != FORMAT:
            raise ValueError(f"format {meta.get('format')!r} where {FORMAT!r} was expected")
        if digest != _digest(meta):
            raise ValueError(f"{META} does not match its own digest")
        if hashlib.sha256(weights).hexdigest() != meta["weights_sha256"]:
            raise ValueError(f"{WEIGHTS} does not match the SHA-256 in {META}")
        return meta, load_arrays(weights)
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as fault:
        raise GeneratorError(
            "an undamaged generator folder", f"{folder}: {fault}", "fit and save it again"
        ) from fault


def write_checkpoint(path: Path, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write one file of arrays with settings in its header, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        header = {"meta": json.dumps(meta, allow_nan=False)}
        with open(aside, "wb") as file:
            file.write(dump_arrays(dict(arrays), metadata=header))
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """Return what `write_checkpoint` wrote, or None where there is no such file."""
    if not path.is_file():
        return None
    try:
        raw = path.read_bytes()
        size = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + size])
        return json.loads(header["__metadata__"]["meta"]), load_arrays(raw)
    except (ValueError, KeyError, TypeError, SafetensorError) as fault:
        raise GeneratorError(
            "an undamaged checkpoint", f"{path}: {fault}", "delete it to start the fit again"
        ) from fault


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _empty_folder(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _put_in_place(aside: Path, folder: Path) -> None:
    if not folder.exists():
        os.replace(aside, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    os.replace(folder, old / "was")
    os.replace(aside, folder)
    shutil.rmtree(old, ignore_errors=True)
