"""One table of fields: the stream, the episode, the file and the hash follow it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import Episode, JobStream, episode
from panda_gym.jobs.fields import ABOUT, ARRAYS, CATEGORIES, FIELDS, UNIFORMS
from panda_gym.sites import load_platform


def test_a_stream_has_these_fields_in_this_order() -> None:
    names = [field.name for field in dataclasses.fields(JobStream)]
    assert names == [*ABOUT, *(field.name for field in FIELDS), "wall_times", "reading", "part"]


def test_the_annotation_of_each_array_names_its_type() -> None:
    """The docstring below a field of the class says the type that the table gives it."""
    source = Path(__file__).parents[3].joinpath("panda_gym/jobs/stream.py").read_text()
    for field in FIELDS:
        name = rf"{field.name}: np.ndarray(?: = None[^\n]*)?"
        doc = re.search(rf"^    {name}\n    \"\"\"(.*?)\"\"\"", source, re.S | re.M)
        assert doc is not None, field.name
        assert f"{np.dtype(field.dtype).name}[n]" in doc[1]


def test_an_episode_has_every_array_with_its_type(
    make_stream: Callable[..., JobStream],
) -> None:
    found = episode(make_stream(60), load_platform("tiny4"), jobs=20, seed=1)
    names = {field.name for field in dataclasses.fields(Episode)}
    assert set(ARRAYS) <= names
    for name, kind in ARRAYS.items():
        assert getattr(found, name).dtype == kind, name


def test_the_file_has_a_column_a_field(stream: JobStream, tmp_path: Path) -> None:
    stream.save(tmp_path / "s.parquet")
    schema = pq.read_schema(tmp_path / "s.parquet")
    assert schema.names == list(ARRAYS)
    assert [field.type.to_pandas_dtype() for field in schema] == list(ARRAYS.values())


@pytest.mark.parametrize("field", [field for field in FIELDS if field.low is not None])
def test_the_limits_of_the_table_are_checked(stream: JobStream, field) -> None:
    values = getattr(stream, field.name).copy()
    values[3] = field.low - 1
    with pytest.raises(StreamError, match=rf"{field.name} >= {field.low}.* in row 3"):
        replace(stream, **{field.name: values})
    if field.below is not None:
        values[3] = 1 if field.below == 1 else 100
        with pytest.raises(StreamError, match=rf"{field.name} .*< \d+; got .* in row 3"):
            replace(stream, **{field.name: values})


def test_uniforms_and_categories_are_fields_of_the_table() -> None:
    assert {field.name for field in FIELDS if field.below == 1} == set(UNIFORMS)
    assert {field.name for field in FIELDS if field.below == field.name} == set(CATEGORIES)
