"""`panda-grid tune`: fit the weights of the policy `tuned` on the past of a stream."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show
from panda_gym.cli.source import Competing, Load, Named, Platform, Scale, job_stream, scenario
from panda_gym.deprecated import warn

Value = TypeVar("Value")


def tune(
    stream: Annotated[
        str, typer.Argument(help="Surrogate (name or folder), trace or file of records.")
    ] = "default",
    until: Annotated[
        str | None,
        typer.Option(
            help="Fit on the jobs before this time: ISO (UTC), or a share of the jobs.",
            show_default="half of the jobs of a recorded stream, all of a surrogate's",
        ),
    ] = None,
    named: Named = "default",
    name: Annotated[
        str | None,
        typer.Option(help="Name of the fit in the file.", show_default="scenario and scale"),
    ] = None,
    out: Annotated[Path, typer.Option(help="File of weights (JSON); its other fits stay.")] = Path(
        "runs/tuned.json"
    ),
    platform: Platform = "atlas150",
    scale: Scale = None,
    load: Load = None,
    competing: Competing = None,
    generations: Annotated[int, typer.Option(min=1, help="Generations of the search.")] = 45,
    population: Annotated[int, typer.Option(min=4, help="Candidates in each.")] = 16,
    episodes: Annotated[
        int, typer.Option("--episodes", min=1, help="Episodes that each plays.")
    ] = 4,
    jobs: Annotated[int, typer.Option(min=1, help="Judged decisions of an episode.")] = 800,
    spread: Annotated[float, typer.Option(min=1e-6, help="Of the first generation.")] = 0.4,
    start: Annotated[
        str | None,
        typer.Option(help="Weights to start from: a fit that ships, FILE or FILE#NAME."),
    ] = None,
    column: Annotated[str | None, typer.Option(hidden=True)] = None,
    old_stream: Annotated[str | None, typer.Option("--stream", hidden=True)] = None,
    worlds: Annotated[int | None, typer.Option(hidden=True, min=1)] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit the weights of `tuned` on the past of a stream, on seeds that no benchmark uses."""
    from panda_gym.benchmarking.standard_suite import size_at
    from panda_gym.benchmarking.tuning import Search, tune
    from panda_gym.environments.placement.policies.tuned_weights import write_fit

    stream = _renamed("the option --stream", "the argument STREAM", old_stream, stream)
    name = _renamed("the option --column", "--name", column, name)
    episodes = _renamed("the option --worlds", "--episodes", worlds, episodes)
    settings = scenario(platform, scale, load, competing, named=named)
    settings["warmup"] = size_at(settings["scale"], platform).warmup
    name = name or (named if settings["scale"] == 0.01 else f"{named}-scale-{settings['scale']:g}")
    if stream != "default":
        settings |= job_stream(stream, False)
    with progress_bar("tune") as progress:
        fit = tune(
            Search(generations, population, episodes, jobs, spread, start, seed),
            until=until,
            state_file=out.with_name(f"{out.stem}-{name}.state.json"),
            progress=progress,
            command=shlex.join(["panda-grid", *sys.argv[1:]]),
            **settings,
        )
    write_fit(out, name, fit)
    if json:
        show({"written": str(out), "name": name, "stream": fit.stream, "losses": fit.losses}, json)
    else:
        print(f"{out}: {name}, fitted on {fit.stream}\nuse it as tuned@{out}#{name}")


def _renamed(old: str, new: str, given: Value | None, value: Value) -> Value:
    """Return the value of an option of 0.1 where it was given, with a warning; else `value`."""
    if given is None:
        return value
    warn(old, new)
    return given
