"""`panda-grid demo`: run the whole chain, from records to a report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show


def demo(
    records: Annotated[
        Path | None, typer.Option(help="Your PanDA export; the reference workload if left out.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder of the run; a killed run resumes there.")
    ] = Path("runs/demo"),
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of the reference workload.")] = 50_000,
    minutes: Annotated[float, typer.Option(help="Minutes for fitting TabDDPM.")] = 2.0,
    steps: Annotated[int, typer.Option(min=1, help="Decisions to train on.")] = 200_000,
    seeds: Annotated[int, typer.Option(min=2, help="Paired worlds of the benchmark.")] = 20,
    jobs: Annotated[int, typer.Option(min=1, help="Decisions of a benchmark's episode.")] = 2_000,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Records, surrogates, certificates, environment, agent, benchmark, report."""
    from panda_gym.experiments.demo import Demo, run, verdicts

    settings = Demo(
        records=None if records is None else str(records),
        rows=rows,
        fits={"smote": {}, "tabddpm": {"minutes": minutes}},
        steps=steps,
        seeds=seeds,
        jobs=jobs,
        seed=seed,
        command=shlex.join(["panda-grid", *sys.argv[1:]]),
    )
    report = run(out, settings, progress_bar)
    found = verdicts(out, settings)
    if found[settings.source] != "passed":
        print(
            f"warning: the certificate of {settings.source}, whose jobs feed the environment, is "
            f"{found[settings.source].upper()}; the figures below hold for its jobs only",
            file=sys.stderr,
        )
    show({"report": str(report), "certificates": found}, json)
