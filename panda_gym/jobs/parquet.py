"""Read and write streams as Parquet files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from panda_gym.errors import StreamError
from panda_gym.files import whole_file
from panda_gym.jobs.fields import ABOUT, ARRAYS
from panda_gym.jobs.part import StreamPart

if TYPE_CHECKING:
    import numpy as np

KEY: Final = b"panda_gym.stream"
FORMAT: Final = 1
LATER: Final = "requested_s"
"""An array that files of 0.1 do not have."""


def write_fields(
    about: Mapping[str, Any], arrays: Mapping[str, np.ndarray], path: str | Path
) -> None:
    """Write one column an array, the rest as JSON in the metadata; whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    said = json.dumps({"format": FORMAT, **about}).encode()
    table = pa.table(dict(arrays), metadata={KEY: said})
    with whole_file(path) as aside:
        pq.write_table(table, aside, compression="zstd")


def read_fields(path: str | Path) -> dict[str, Any]:
    """Read what `write_fields` wrote; StreamError if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
        said = json.loads(table.schema.metadata[KEY])
        if said["format"] != FORMAT:
            raise ValueError("another format")
        about = {key: said[key] for key in ABOUT}
        about["levels"] = {key: tuple(names) for key, names in said["levels"].items()}
        about["wall_times"] = bool(said.get("wall_times", False))
        about["part"] = StreamPart.parse(said["part"]) if "part" in said else None
        known = [field for field in ARRAYS if field != LATER or field in table.column_names]
        arrays = {field: table.column(field).to_numpy() for field in known}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        do = "write it again with JobStream.save"
        raise StreamError(f"a stream of jobs at {path}", repr(error)[:200], do) from None
    return {**about, **arrays}
