"""`panda-grid benchmark`: policies in paired worlds, as Markdown, CSV, HTML, SVG and JSON."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import AllowUncertified, Json, Ray, Seed, progress_bar, show, workers
from panda_gym.cli.source import Competing, Load, Named, Platform, Scale, job_stream, scenario

DEFAULT_POLICIES = ["random", "least_loaded", "panda_production", "earliest_completion"]


def benchmark(
    policy: Annotated[
        list[str] | None, typer.Option(help="A registered policy or an agent's folder; repeat it.")
    ] = None,
    stream: Annotated[
        list[str] | None, typer.Option(help="Surrogate, trace or file of records; repeat it.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Paired worlds.")] = 10,
    out: Annotated[Path, typer.Option(help="Folder to write; goes on where it stopped.")] = Path(
        "runs/benchmark"
    ),
    baseline: Annotated[str | None, typer.Option(help="Whom differences are against.")] = None,
    platform: Platform = "atlas150",
    scale: Scale = 0.01,
    jobs: Annotated[int, typer.Option(min=1, help="Decisions of an episode.")] = 2_000,
    named: Named = "default",
    load: Load = None,
    competing: Competing = None,
    ray: Ray = None,
    seed: Seed = 0,
    json: Json = False,
    allow_uncertified: AllowUncertified = False,
) -> None:
    """Compare policies on streams, the same worlds for each; intervals over the seeds."""
    from panda_gym.benchmarking import benchmark as compare
    from panda_gym.files import whole_file
    from panda_gym.jobs import JobStream
    from panda_gym.report.intervals import standalone
    from panda_gym.surrogate import Surrogate

    def opened(named: str) -> JobStream:
        settings = job_stream(named, allow_uncertified)
        if "stream" in settings:
            return settings["stream"]
        sealed = settings["surrogate"]
        sealed = sealed if isinstance(sealed, Surrogate) else Surrogate.open(sealed)
        return JobStream.from_surrogate(sealed)

    with progress_bar("benchmark") as progress:
        table = compare(
            policy or DEFAULT_POLICIES,
            {named: opened(named) for named in stream or ["default"]},
            range(seed, seed + seeds),
            baseline=baseline,
            folder=out / "cells",
            workers=None if ray is None else workers(ray),
            progress=progress,
            **scenario(platform, scale, load, competing, named=named, jobs=jobs),
        )
    table.to_csv(out / "benchmark.csv")
    table.to_json(out / "benchmark.json")
    drawn = standalone(table, "geometric_slowdown", table.streams[0])
    texts = {"md": table.to_markdown(), "html": _page(table.to_html()), "svg": drawn}
    for name, text in texts.items():
        with whole_file(out / f"benchmark.{name}") as aside:
            aside.write_text(text)
    if json:
        show({"written": str(out), "policies": list(table.policies)}, json)
    else:
        print(table.to_markdown())


def _page(table: str) -> str:
    title = escape("PandaGrid benchmark")
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>{table}'
