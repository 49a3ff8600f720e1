"""Folders and checkpoints, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from generators.errors import GeneratorError
from generators.files import (
    META,
    WEIGHTS,
    read_checkpoint,
    read_folder,
    write_checkpoint,
    write_folder,
)

ARRAYS = {"a": np.arange(6).reshape(2, 3), "b": np.zeros(0, np.float32)}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_folder(tmp_path / "g", {"generator": "x"}, ARRAYS)
    meta, arrays = read_folder(tmp_path / "g")
    assert meta["generator"] == "x"
    assert all(
        np.array_equal(arrays[k], a) and arrays[k].dtype == a.dtype for k, a in ARRAYS.items()
    )
    assert [f.name for f in tmp_path.iterdir()] == ["g"]


def test_an_older_generator_is_replaced_and_anything_else_is_kept(tmp_path: Path) -> None:
    write_folder(tmp_path / "g", {"generator": "x"}, ARRAYS)
    write_folder(tmp_path / "g", {"generator": "y"}, ARRAYS)
    assert read_folder(tmp_path / "g")[0]["generator"] == "y"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(GeneratorError, match="new folder"):
        write_folder(tmp_path / "mine", {"generator": "x"}, ARRAYS)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["g", "mine"]


def test_a_failed_write_leaves_the_old_folder_and_nothing_beside_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "g", {"generator": "x"}, ARRAYS)
    with pytest.raises(ValueError, match="JSON"):
        write_folder(tmp_path / "g", {"generator": float("nan")}, ARRAYS)
    assert read_folder(tmp_path / "g")[0]["generator"] == "x"
    assert [f.name for f in tmp_path.iterdir()] == ["g"]


@pytest.mark.parametrize("damage", ["weights", "text", "meta", "format", "missing", "list"])
def test_a_damaged_altered_or_foreign_folder_is_one_error(tmp_path: Path, damage: str) -> None:
    write_folder(tmp_path, {"generator": "x", "levels": ["a", "b"]}, ARRAYS)
    meta = tmp_path / META
    body = json.loads(meta.read_text())
    if damage == "weights":
        raw = bytearray((tmp_path / WEIGHTS).read_bytes())
        raw[-1] ^= 1
        (tmp_path / WEIGHTS).write_bytes(raw)
    elif damage == "text":
        meta.write_text(meta.read_text()[:-5])
    elif damage == "meta":
        meta.write_text(json.dumps({**body, "levels": ["a", "c"]}))
    elif damage == "format":
        meta.write_text(json.dumps({**body, "format": "other/9"}))
    elif damage == "list":
        meta.write_text("[1, 2]")
    else:
        (tmp_path / WEIGHTS).unlink()
    with pytest.raises(GeneratorError):
        read_folder(tmp_path)


def test_a_checkpoint_is_read_back_or_absent_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "c.safetensors"
    assert read_checkpoint(path) is None
    write_checkpoint(path, {"step": 3}, ARRAYS)
    found = read_checkpoint(path)
    assert found is not None
    assert found[0] == {"step": 3}
    assert np.array_equal(found[1]["a"], ARRAYS["a"])
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(GeneratorError, match="undamaged checkpoint"):
        read_checkpoint(path)
