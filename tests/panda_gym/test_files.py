"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from panda_gym.errors import InputError
from panda_gym.files import forget_asides, sha256, whole_file, whole_folder


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")

    def write() -> None:
        with whole_file(target) as aside:
            aside.write_text("ne")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk"):
        write()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_writer_that_succeeds_replaces_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "table.csv"
    for text in ("first", "second"):
        with whole_file(target) as aside:
            aside.write_text(text)
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_is_replaced_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "sealed"
    with whole_folder(target) as aside:
        (aside / "a").write_text("1")

    def write() -> None:
        with whole_folder(target, "a") as aside:
            (aside / "b").write_text("2")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk"):
        write()
    assert [p.name for p in target.iterdir()] == ["a"]
    with whole_folder(target, "a") as aside:
        (aside / "b").write_text("2")
    assert [p.name for p in target.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("marker", ["seal.json", None])
def test_what_is_not_ours_is_never_replaced(tmp_path: Path, marker: str | None) -> None:
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds something else"), whole_folder(target, marker):
        pass
    assert (target / "chapter.tex").read_text() == "years of work"
    assert list(tmp_path.iterdir()) == [target]


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256(tmp_path / "empty") == known


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "d[1].hdf5"
    (tmp_path / ".d[1].hdf5.x.hdf5").write_text("half")
    (tmp_path / ".d[1].hdf5.y").mkdir()
    (tmp_path / ".d1.hdf5.x.hdf5").write_text("another's")
    target.write_text("whole")
    forget_asides(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".d1.hdf5.x.hdf5", "d[1].hdf5"]
