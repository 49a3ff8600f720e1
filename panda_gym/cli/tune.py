"""`panda-grid tune`: fit the weights of the policy `tuned` on training seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show
from panda_gym.cli.source import Competing, Load, Named, Platform, Scale, job_stream, scenario
from panda_gym.deprecated import warn


def tune(
    named: Named = "default",
    column: Annotated[
        str | None, typer.Option(help="Its name in the table.", show_default="the scenario's")
    ] = None,
    out: Annotated[Path, typer.Option(help="Table of weights; the column is put there.")] = Path(
        "runs/tuned.csv"
    ),
    stream: Annotated[str, typer.Option(help="Surrogate, trace or file of records.")] = "default",
    platform: Platform = "atlas150",
    scale: Scale = None,
    load: Load = None,
    competing: Competing = None,
    generations: Annotated[int, typer.Option(min=1, help="Generations of the search.")] = 16,
    population: Annotated[int, typer.Option(min=4, help="Candidates in each.")] = 16,
    episodes: Annotated[
        int, typer.Option("--episodes", min=1, help="Episodes that each plays.")
    ] = 8,
    jobs: Annotated[int, typer.Option(min=1, help="Decisions of an episode.")] = 800,
    spread: Annotated[float, typer.Option(min=1e-6, help="Of the first generation.")] = 0.6,
    start: Annotated[
        str | None, typer.Option(help="Column of the shipped table to start from.")
    ] = None,
    worlds: Annotated[int | None, typer.Option(hidden=True, min=1)] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit the weights of `tuned` on seeds that no benchmark evaluates on."""
    from panda_gym.benchmarking.tuning import Search, tune, write_column

    if worlds is not None:
        warn("the option --worlds", "--episodes")
        episodes = worlds
    settings = scenario(platform, scale, load, competing, named=named)
    name = column or named
    if stream != "default":
        settings |= job_stream(stream, False)
    with progress_bar("tune") as progress:
        end = tune(
            Search(generations, population, episodes, jobs, spread, start, seed),
            state_file=out.with_name(f"{out.stem}-{name}.json"),
            progress=progress,
            **settings,
        )
    write_column(out, name, end.mean)
    if json:
        show({"written": str(out), "column": name, "losses": end.losses}, json)
    else:
        print(f"{out}: column {name}")
