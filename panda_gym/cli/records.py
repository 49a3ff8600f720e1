"""`panda-grid records`: read an export, or the reference workload, into nine columns."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
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
    paper_formula: Annotated[
        bool, typer.Option(help="Workload from cores x CPU time, as the paper writes it.")
    ] = False,
    json: Json = False,
) -> None:
    """Read job records, drop personal columns, apply the filter funnel, write nine columns."""
    from panda_gym.errors import RecordsError
    from panda_gym.records import load_records, save_records, write_reference
    from panda_gym.schema import STREAM_EXTRAS

    if (file is None) == (reference is None):
        raise RecordsError("either a FILE or --reference N", "both or neither", "see --help")
    with progress_bar("records") as progress, TemporaryDirectory() as aside:
        if reference is not None:
            file = Path(aside) / "reference.parquet"
            write_reference(file, reference, seed, raw=True, progress=progress)
        table = load_records(str(file), optional=STREAM_EXTRAS, paper_formula=paper_formula)
        save_records(table, out)
    steps = {step["name"]: step["rows"] for step in table.attrs.get("funnel", {}).get("steps", [])}
    show({**steps, "rows": len(table), "origin": table.attrs["origin"], "written": str(out)}, json)
