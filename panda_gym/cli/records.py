"""`panda-grid records`: an export, or the reference workload, becomes the nine columns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show


def records(
    file: Annotated[
        Path | None, typer.Argument(help="PanDA export: CSV, gzip CSV or Parquet.")
    ] = None,
    reference: Annotated[
        int | None,
        typer.Option(help="Rows of the reference workload (a stand-in, not PanDA data)."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Parquet file to write.")] = Path(
        "runs/records.parquet"
    ),
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Read job records, drop personal columns, apply the filter funnel, write nine columns."""
    from panda_gym.errors import RecordsError

    if (file is None) == (reference is None):
        raise RecordsError(
            "either a FILE or --reference N", "both or neither", "see `panda-grid records --help`"
        )
    from panda_gym.records import read_funnel, reference_funnel, write_table

    with progress_bar("records") as progress:
        if file is not None:
            table, funnel = read_funnel(file)
        else:
            table, funnel = reference_funnel(int(reference or 0), seed=seed, progress=progress)
        write_table(table, out)
    show({**funnel.to_dict(), "rows": len(table), "written": str(out)}, json)
