"""Claims about stored streams: they return exactly, and damage is one clear error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from panda_gym.errors import StreamError
from panda_gym.jobs import JobStream


def test_a_stored_stream_returns_exactly(stream: JobStream, tmp_path: Path) -> None:
    stream.save(tmp_path / "deep" / "jobs.parquet")
    back = JobStream.load(tmp_path / "deep" / "jobs.parquet")
    assert back.digest() == stream.digest()
    assert back.meta() == stream.meta()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["jobs.parquet"]


def test_each_damage_is_one_clear_error(stream: JobStream, tmp_path: Path) -> None:
    path = tmp_path / "jobs.parquet"
    with pytest.raises(StreamError, match="a stream of jobs at"):
        JobStream.load(path)
    stream.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StreamError, match="a stream of jobs at"):
        JobStream.load(path)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(StreamError, match="a stream of jobs at"):
        JobStream.load(path)


def test_a_file_of_0_1_has_no_requested_times(stream: JobStream, tmp_path: Path) -> None:
    stream.save(tmp_path / "jobs.parquet")
    table = pq.read_table(tmp_path / "jobs.parquet")
    pq.write_table(table.drop_columns(["requested_s"]), tmp_path / "old.parquet")
    old = JobStream.load(tmp_path / "old.parquet")
    assert old.digest() == stream.digest()
    assert not old.requested_s.any()
    asked = replace(stream, requested_s=np.ones(len(stream)))
    assert asked.digest() != stream.digest()
