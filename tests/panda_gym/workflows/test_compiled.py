"""Cached machine code is used while no source has changed, and only then."""

from __future__ import annotations

from panda_gym.workflows.compiled import source_stamp
from panda_gym.workflows.listing import run


def test_a_change_of_any_source_changes_the_stamp(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    before = source_stamp([tmp_path])
    assert source_stamp([tmp_path]) == before
    (tmp_path / "b.py").write_text("y = 2\n")
    assert source_stamp([tmp_path]) != before


def test_entries_carry_the_stamp():
    assert len(run._cache._cache_file._source_stamp) == 64
