"""Write a table of records to Parquet or CSV."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from panda_gym.errors import RecordsError
from panda_gym.files import whole_file


def save_records(table: pd.DataFrame, path: str | Path) -> None:
    """Write Parquet (with the origin in the file's metadata) or CSV, by the path's ending.

    Raises:
        RecordsError: another ending.
    """
    path = Path(path)
    if path.suffix not in (".parquet", ".csv"):
        raise RecordsError("a path ending in .parquet or .csv", path.name, "choose one of these")
    with whole_file(path) as aside:
        if path.suffix == ".csv":
            table.to_csv(aside, index=False)
            return
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        origin = {b"origin": str(table.attrs.get("origin", "")).encode()}
        pq.write_table(
            arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **origin}),
            aside,
            compression="zstd",
        )
