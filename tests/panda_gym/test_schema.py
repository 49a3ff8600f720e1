"""The schema of a job record is the one that readers, models and streams follow."""

from __future__ import annotations

import subprocess
import sys

from panda_gym import records
from panda_gym.jobs import fields
from panda_gym.records import datasets
from panda_gym.schema import CATEGORIES, COLUMNS, EXTRAS, INPUT_SIZES, NAMES, STATUSES


def test_names_are_unique_and_of_known_kinds() -> None:
    columns = (*COLUMNS, *EXTRAS)
    assert len({column.name for column in columns}) == len(columns)
    assert {column.kind for column in columns} == {"time", "category", "integer", "real"}
    assert len(NAMES) == 9


def test_classes_and_sizes_are_columns_that_a_broker_knows() -> None:
    known = {column.name: column for column in COLUMNS if column.known_before}
    assert {known[name].kind for name in CATEGORIES} == {"category"}
    assert {known[name].kind for name in INPUT_SIZES} == {"integer"}
    assert "workload" not in known


def test_there_is_one_object_of_each_list() -> None:
    assert records.COLUMNS is COLUMNS
    assert STATUSES is fields.STATUSES
    assert fields.CATEGORIES is CATEGORIES
    assert list(datasets.parse_datasets(["mc20_13TeV.1.x.deriv.DAOD_PHYS.p1"])) == list(CATEGORIES)


def test_the_schema_loads_no_library() -> None:
    """Streams take statuses from here when `panda_gym` is imported, without pandas."""
    program = "import sys, panda_gym.schema, panda_gym.jobs; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "pyarrow", "numba"} & set(loaded)
