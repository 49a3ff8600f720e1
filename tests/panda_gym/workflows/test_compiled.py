"""Cached machine code of the workflows is used while none of its sources has changed."""

from __future__ import annotations

from pathlib import Path

from panda_gym import jit, simulator, workflows
from panda_gym.jit.compiled import source_stamp
from panda_gym.workflows.list_scheduling import run_list_schedule


def test_entries_carry_the_stamp_of_all_packages_that_they_contain():
    folders = [Path(package.__file__).parent for package in (simulator, workflows, jit)]
    assert run_list_schedule._cache._cache_file._source_stamp == source_stamp(folders)
