"""`panda-grid benchmark`: compare policies on paired episodes; write tables and pages."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from panda_gym.cli.console import (
    AllowUncertified,
    Json,
    Ray,
    lines_of_table,
    progress_bar,
    show,
    terminal_width,
    workers,
)
from panda_gym.cli.source import Competing, Platform, Scale, job_stream, scenario

SHOWN = ("geometric_slowdown", "mean_turnaround", "p95_slowdown", "wan")
"""Measures that the terminal shows; files hold all."""
DEFAULT_POLICIES = ["random", "least_loaded", "panda_production", "earliest_completion"]


def benchmark(
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="A registered policy, tuned@FIT, tuned@FILE, oracle:NAME, an agent's folder, or a "
            "group: heuristics, oracles, bound; repeatable."
        ),
    ] = None,
    stream: Annotated[
        list[str] | None, typer.Option(help="Surrogate, trace or file of records; repeatable.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Paired episodes, one a seed.")] = 10,
    out: Annotated[Path, typer.Option(help="Folder to write; a killed run resumes there.")] = Path(
        "runs/benchmark"
    ),
    baseline: Annotated[
        str | None, typer.Option(help="Policy that differences are measured against.")
    ] = None,
    platform: Platform = "atlas150",
    scale: Scale = None,
    jobs: Annotated[int, typer.Option(min=1, help="Decisions of an episode.")] = 2_000,
    named: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario", help="Named scenario, or standard: the whole suite; repeatable."
        ),
    ] = None,
    load: Annotated[
        list[float] | None,
        typer.Option(
            help="Offered work / capacity; 0 keeps the recorded times; repeatable.",
            show_default="scenario's",
        ),
    ] = None,
    competing: Competing = None,
    decisions: Annotated[int, typer.Option(min=1, help="Jobs placed at once.")] = 1,
    ray: Ray = None,
    picture: Annotated[
        list[str] | None, typer.Option(help="Policy whose first run is drawn; repeatable.")
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            help="Jobs that are judged: recorded (of recorded streams those after the first half), "
            "whole, or from a time (ISO) or share of the jobs on."
        ),
    ] = "recorded",
    real: Annotated[
        str | None, typer.Option(help="Stream whose ranking of policies is the reference.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="First seed; agents and weights use seeds from 1,000,000 on.")
    ] = 0,
    json: Json = False,
    allow_uncertified: AllowUncertified = False,
) -> None:
    """Compare policies on streams, on the same episodes for each; intervals span the seeds."""
    from panda_gym.benchmarking.leaderboard import Section, markdown
    from panda_gym.benchmarking.standard_suite import expand_policies, expand_scenarios, weights_for

    scenarios = expand_scenarios(named or ["default"])
    loads: list[float | None] = [*load] if load else [None]
    policies = expand_policies(policy or DEFAULT_POLICIES)
    streams = {one: _opened(one, allow_uncertified) for one in stream or ["default"]}
    many, sections, rankings = len(scenarios) * len(loads) > 1, [], ""
    command = shlex.join(["panda-grid", *sys.argv[1:]])
    for name in scenarios:
        for at in loads:
            title = name if at is None else f"{name}, load {at:g}"
            folder = out / title.replace(", load ", "-") if many else out
            settings = scenario(
                platform, scale, at, competing, named=name, jobs=jobs, decisions=decisions
            )
            with progress_bar(title) as progress:
                table = _compare(
                    {one: weights_for(one, name, settings["scale"]) for one in policies},
                    streams,
                    range(seed, seed + seeds),
                    baseline=baseline,
                    folder=out / "cells",
                    workers=None if ray is None else workers(ray),
                    progress=progress,
                    split=split,
                    **settings,
                )
            if real is not None:
                rankings += _ranking(table, title, real)
            drawn = _pictures(picture or [], name, streams, seed, settings)
            _write(table, folder, command, drawn)
            sections.append(Section(title, table, command))
    if many:
        _text(out / "leaderboard.md", markdown(sections))
    if rankings:
        _text(out / "rankings.md", rankings)
    if json:
        show({"written": str(out), "policies": policies, "scenarios": scenarios}, json)
    else:
        for one in sections:
            print(_for_terminal(one.title, one.table))
        print(f"\n{rankings}Written: {out}" if rankings else f"Written: {out}")


def _for_terminal(title: str, table: Any) -> str:
    """Return the tables of one benchmark in lines that fit the terminal."""
    parts = []
    for shown in table.text_tables(SHOWN):
        lines = lines_of_table(shown.head, shown.body, terminal_width())
        parts.append("\n".join([f"{title}: {shown.caption}", "", *lines]))
    return "\n\n".join(parts)


def _opened(named: str, allow_uncertified: bool) -> Any:
    """A stream of jobs, opened once."""
    from panda_gym.jobs import JobStream
    from panda_gym.surrogate import Surrogate

    settings = job_stream(named, allow_uncertified)
    if "stream" in settings:
        return settings["stream"]
    sealed = settings["surrogate"]
    sealed = sealed if isinstance(sealed, Surrogate) else Surrogate.open(sealed)
    return JobStream.from_surrogate(sealed)


def _ranking(table: Any, title: str, real: str) -> str:
    """How alike the streams rank the policies that are no oracles."""
    from panda_gym.benchmarking import fidelity

    found = fidelity.agreement(table, "geometric_slowdown", real)
    return f"Rankings by geometric_slowdown, {title}\n\n{fidelity.markdown(found, real)}"


def _compare(*given: Any, **settings: Any) -> Any:
    from panda_gym.benchmarking import benchmark as compare

    return compare(*given, **settings)


def _pictures(
    policies: list[str], name: str, streams: dict[str, Any], seed: int, settings: dict[str, Any]
) -> list[str]:
    """Heat maps and Gantt charts of one run of each policy on the first stream."""
    import numpy as np

    from panda_gym.benchmarking.episodes import play
    from panda_gym.benchmarking.policy_resolution import find_policies
    from panda_gym.benchmarking.standard_suite import weights_for
    from panda_gym.environments.placement.batch import PlacementBatch
    from panda_gym.environments.placement.scenario import Scenario
    from panda_gym.visualization.report.occupancy import gantt, heat_maps

    drawn = []
    for label in policies:
        batch = PlacementBatch(Scenario.of(**settings, stream=next(iter(streams.values()))), 1)
        found = find_policies(
            [weights_for(label, name, batch.scenario.scale)], batch.scenario.scale
        )
        play(batch, next(iter(found.values())), [seed], label=label)
        log, cores = batch.log(0), np.asarray(batch.platform.cores)
        drawn += [f(log, cores, batch.platform.names, label) for f in (heat_maps, gantt)]
    return drawn


def _write(table: Any, folder: Path, command: str, drawn: list[str]) -> None:
    """All the files of one table."""
    from panda_gym.visualization.report.benchmark import write_page
    from panda_gym.visualization.report.intervals import standalone

    table.to_csv(folder / "benchmark.csv")
    table.to_json(folder / "benchmark.json")
    _text(folder / "benchmark.md", table.to_markdown())
    _text(folder / "benchmark.svg", standalone(table, "geometric_slowdown", table.streams[0]))
    write_page(table, folder / "benchmark.html", command=command, pictures=drawn)


def _text(path: Path, text: str) -> None:
    from panda_gym.files import whole_file

    with whole_file(path) as aside:
        aside.write_text(text)
