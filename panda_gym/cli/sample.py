"""`panda-grid sample`: draw synthetic records from a sealed surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import AllowUncertified, Json, Seed, progress_bar, show


def sample(
    surrogate: Annotated[str, typer.Argument(help="Sealed folder, or a shipped name.")] = "default",
    rows: Annotated[int, typer.Option("-n", "--rows", min=0, help="Rows to draw.")] = 10_000,
    out: Annotated[Path, typer.Option(help="Parquet or CSV file to write.")] = Path(
        "runs/sample.parquet"
    ),
    seed: Seed = 0,
    json: Json = False,
    allow_uncertified: AllowUncertified = False,
) -> None:
    """Draw synthetic records."""
    from panda_gym.records import save_records
    from panda_gym.surrogate import Surrogate

    opened = Surrogate.open(surrogate, allow_uncertified=allow_uncertified)
    with progress_bar("sample"):
        table = opened.sample(rows, seed=seed)
    save_records(table, out)
    result = {"rows": len(table), "written": str(out), "origin": opened.origin}
    show({**result, "certificate": opened.certificate.verdict}, json)
