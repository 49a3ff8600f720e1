"""Streams as Parquet files; knows the file, never what the jobs mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from panda_gym.errors import InputError, StreamError
from panda_gym.files import whole_file
from panda_gym.jobs.stream import ARRAYS, JobStream

KEY: Final = b"panda_gym.stream"
FORMAT: Final = 1


def write_stream(stream: JobStream, path: str | Path) -> None:
    """One column an array; the rest as JSON in the file's metadata. Whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = json.dumps({"format": FORMAT, **stream.meta()}).encode()
    table = pa.table({field: getattr(stream, field) for field in ARRAYS}, metadata={KEY: about})
    with whole_file(path) as aside:
        pq.write_table(table, aside, compression="zstd")


def read_stream(path: str | Path) -> JobStream:
    """Read what `write_stream` wrote; StreamError if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
        about = json.loads(table.schema.metadata[KEY])
        if about.pop("format") != FORMAT:
            raise ValueError("another format")
        arrays = {field: table.column(field).to_numpy() for field in ARRAYS}
        about["site_names"] = tuple(about["site_names"])
        return JobStream(**about, **arrays)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        do = "write it again with JobStream.save"
        raise StreamError(f"a stream of jobs at {path}", repr(error)[:200], do) from None
