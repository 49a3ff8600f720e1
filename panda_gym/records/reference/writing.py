"""Write the reference workload to Parquet, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from panda_gym.errors import RecordsError, check_seed
from panda_gym.files import whole_file
from panda_gym.records.reference import tables
from panda_gym.records.reference.export import export_blocks
from panda_gym.records.reference.stream import check_rows
from panda_gym.records.reference.workload import reference_blocks

Progress = Callable[[int, int, str], None]


def write_reference(
    path: str | Path,
    n: int = 200_000,
    seed: int = 0,
    *,
    raw: bool = False,
    keep: Sequence[str] = (),
    progress: Progress | None = None,
) -> Path:
    """Write `reference_records(n, seed, keep=keep)` to a Parquet file, in bounded memory.

    Args:
        path: file to write, ending in .parquet; appears whole or not at all.
        n: number of rows, at least 1; any size, since only a block is held.
        seed: same n and seed, same rows as in one piece.
        raw: write `reference_export(n, seed)` instead, without `keep`.
        keep: extra columns, as for `reference_records`.
        progress: called as progress(rows written, n, message).

    Returns:
        The path. `load_records` reads it back.

    Raises:
        RecordsError: wrong n, `keep` or file name.
        SeedError: the seed is not a non-negative integer.
    """
    path = Path(path)
    n, seed = check_rows(n), check_seed(seed)
    if path.suffix != ".parquet" or path.is_dir():
        raise RecordsError("the name of a file ending in .parquet", path.name, "rename it")
    if raw and keep:
        raise RecordsError("either raw=True or columns to keep", "both", "drop keep=")
    blocks = export_blocks(n, seed) if raw else reference_blocks(n, seed, keep=keep)
    with whole_file(path) as aside:
        _write(aside, blocks, n, progress)
    return path


def _write(path: Path, blocks: Iterator[pd.DataFrame], n: int, progress: Progress | None) -> None:
    writer: pq.ParquetWriter | None = None
    done = 0
    try:
        for block in blocks:
            arrow = _arrow(block)
            writer = writer or pq.ParquetWriter(path, arrow.schema)
            writer.write_table(arrow)
            done += len(block)
            if progress is not None:
                progress(done, n, "reference workload")
    finally:
        if writer is not None:
            writer.close()


def _arrow(block: pd.DataFrame) -> pa.Table:
    """A block as Arrow; categories as plain text, since each block has its own levels."""
    texts = [name for name, dtype in block.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]
    arrow = pa.Table.from_pandas(block.astype(dict.fromkeys(texts, "str")), preserve_index=False)
    schema = arrow.schema
    for i, field in enumerate(schema):
        if pa.types.is_large_string(field.type) or pa.types.is_string(field.type):
            schema = schema.set(i, pa.field(field.name, pa.string()))
    return arrow.cast(schema).replace_schema_metadata({b"origin": tables.STAND_IN.encode()})
