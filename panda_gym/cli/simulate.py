"""`panda-grid simulate`: run one policy over one episode; print its measures, write its log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from panda_gym.cli.console import AllowUncertified, Json, Quantity, Seed, progress_bar, show
from panda_gym.cli.source import (
    Competing,
    Discipline,
    Kill,
    Load,
    Named,
    Platform,
    RequestedFactor,
    Reservations,
    Scale,
    Stream,
    job_stream,
    scenario,
)


def simulate(
    policy: Annotated[str, typer.Option(help="A registered policy or an agent's folder.")] = (
        "earliest_completion"
    ),
    stream: Stream = "default",
    platform: Platform = "atlas150",
    scale: Scale = None,
    jobs: Annotated[
        str | None,
        typer.Option(
            help="Decisions; all: the whole stream, once, without warm-up.",
            show_default="2000; all for a file with --load 0",
        ),
    ] = None,
    named: Named = "default",
    load: Load = None,
    competing: Competing = None,
    discipline: Discipline = None,
    reservations: Reservations = None,
    requested_factor: RequestedFactor = None,
    kill: Kill = False,
    log: Annotated[
        Path | None, typer.Option(help="Log: run.parquet (which `replay` reads), or run.csv.")
    ] = None,
    log_level: Annotated[
        str, typer.Option(help="jobs: a row a job; events: run.events.parquet as well.")
    ] = "jobs",
    seed: Seed = 0,
    json: Json = False,
    allow_uncertified: AllowUncertified = False,
) -> None:
    """Run a policy over one episode until all its jobs have ended."""
    import pandas as pd

    from panda_gym.benchmarking.episodes import play
    from panda_gym.benchmarking.measures import MEASURE
    from panda_gym.benchmarking.policy_resolution import find_policies
    from panda_gym.environments.placement.batch import PlacementBatch
    from panda_gym.environments.placement.scenario import Scenario
    from panda_gym.episode_log import check_path
    from panda_gym.records import save_records

    source = job_stream(stream, allow_uncertified)
    settings = scenario(
        platform,
        scale,
        load,
        competing,
        named=named,
        **_queues(
            kill,
            discipline=discipline,
            reservations=reservations,
            requested_factor=requested_factor,
        ),
        **_window(jobs, load, recorded="stream" in source),
        **source,
    )
    as_csv = log is not None and log.suffix == ".csv"
    if log is not None and not as_csv:
        check_path(log)
    batch = PlacementBatch(
        Scenario.of(**settings),
        1,
        log=None if as_csv else log,
        log_level=log_level,
        policy=policy,
    )
    chosen = find_policies([policy], settings["scale"])[policy]
    done = 0
    with progress_bar(f"simulate {policy}") as progress:

        def tick(decisions: int) -> None:
            nonlocal done
            done += decisions
            progress(done, batch.scenario.jobs, f"{batch.stream.name}")

        (measures,) = play(batch, chosen, [seed], label=policy, tick=tick)
    if log is not None and as_csv:
        save_records(pd.DataFrame(batch.log(0).columns()), log)
    shown = {name: Quantity(measures[name], unit_of(name)) for name in MEASURE}
    written = {} if log is None else {"log": str(log)}
    about = {
        "policy": policy,
        "jobs": Quantity(batch.scenario.jobs, "jobs"),
        "origin": batch.stream.origin,
    }
    show({**about, **shown, **written}, json)


def _queues(kill: bool, **given: Any) -> dict[str, Any]:
    """The settings of the sites' queues that were given."""
    found = {name: value for name, value in given.items() if value is not None}
    return found | ({"kill_at_requested": True} if kill else {})


def _window(jobs: str | None, load: float | None, recorded: bool) -> dict[str, Any]:
    """Which jobs of the stream are placed: at recorded times from the first on, no warm-up."""
    from panda_gym.errors import SettingError

    replayed = load == 0.0 and recorded
    if jobs is None:
        return {"jobs": "all" if replayed else 2_000}
    if jobs == "all":
        return {"jobs": jobs}
    if not jobs.isdecimal() or int(jobs) < 1:
        raise SettingError("--jobs of at least 1, or all", repr(jobs), "pass --jobs 2000")
    return {"jobs": int(jobs), **({"start": 0, "warmup": 0} if replayed else {})}


def unit_of(measure: str) -> str:
    """Return the unit of a measure; empty for a ratio."""
    from panda_gym.benchmarking.measures import MEASURE

    unit = MEASURE[measure].unit if measure in MEASURE else ""
    return "" if unit == "1" else unit
