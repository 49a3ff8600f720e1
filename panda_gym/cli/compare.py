"""`panda-grid compare`: compare generators on one table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show
from panda_gym.cli.fit import settings


def compare(
    out: Annotated[Path, typer.Option(help="Folder of the run; an earlier one goes on.")] = Path(
        "runs/comparison"
    ),
    rows: Annotated[
        int, typer.Option(min=100, help="Rows of the reference workload, split 80/20.")
    ] = 100_000,
    table: Annotated[
        Path | None, typer.Option(help="A CSV or Parquet file instead of the reference workload.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="With --table: the column that a model learns to predict.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="With --table: a column of dates (ISO 8601).")
    ] = None,
    columns: Annotated[
        str, typer.Option(help="With --table: names for a CSV without a header, a,b,c.")
    ] = "",
    generators: Annotated[str, typer.Option(help="Names, a,b,c; all if left out.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="field=value for all that have it, or generator.field=value."),
    ] = None,
    fitted: Annotated[
        list[str] | None,
        typer.Option(help="generator=FOLDER of `panda-grid fit` on these rows: only evaluated."),
    ] = None,
    synthetic: Annotated[
        int | None, typer.Option(min=1, help="Rows to draw; as many as training rows if left out.")
    ] = None,
    quick: Annotated[bool, typer.Option(help="Evaluate on subsamples.")] = False,
    policy: Annotated[
        str, typer.Option(help="Certificate policy: a shipped name or a TOML file.")
    ] = "default",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compare generators on the reference workload or any table: the paper's Table I.

    Writes comparison.md, comparison.csv and comparison.html (with figures 4 and 5 of the paper).
    Each generator runs in a process of its own; a run that was killed resumes where it stopped.
    """
    from panda_gym.errors import InputError
    from panda_gym.experiments.generator_comparison import (
        compare_generators,
        from_file,
        from_reference,
    )

    if table is None:
        if target or time or columns:
            came = "--target, --time or --columns without it"
            raise InputError("--table FILE", came, "name the file, or leave them out")
        source = from_reference(rows, seed)
    elif target is None:
        raise InputError("--target COLUMN with --table", "none", "name the column to predict")
    else:
        source = from_file(table, target, time=time, names=_words(columns))
    with progress_bar("compare") as progress:
        entries = compare_generators(
            source,
            out,
            names=_words(generators),
            config=settings(option or []),
            fitted={name: Path(folder) for name, folder in settings(fitted or []).items()},
            seed=seed,
            quick=quick,
            policy=policy,
            synthetic_rows=synthetic,
            command=" ".join(["panda-grid", *sys.argv[1:]]),
            progress=progress,
        )
    scores = {
        f"{e.name} {id}": {"value": s.value, "real": s.real_vs_real}
        for e in entries
        for id, s in e.quality.scores.items()
    }
    show({**scores, "written": str(out / "comparison.html")}, json)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
