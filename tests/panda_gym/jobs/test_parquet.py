"""Claims about stored streams: they return exactly, and damage is one clear error."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
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
