"""Cached machine code of the workflows is used while none of its sources has changed."""

from __future__ import annotations

from pathlib import Path

from panda_gym import simulator, workflows
from panda_gym.jit.compiled import source_stamp
from panda_gym.workflows.listing import run


def test_entries_carry_the_stamp_of_both_rooms():
    folders = [Path(room.__file__).parent for room in (simulator, workflows)]
    assert run._cache._cache_file._source_stamp == source_stamp(folders)
