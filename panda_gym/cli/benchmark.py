"""`panda-grid benchmark`: compare policies on paired episodes; write tables and pages."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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
from panda_gym.cli.source import SCALE_SHOWN, Competing, Platform, job_stream, scenario
from panda_gym.environments.placement.named_scenarios import DEFAULT_SCALE, SMALL_SCALES

SHOWN = ("geometric_slowdown", "mean_turnaround", "p95_slowdown", "wan")
"""Measures that the terminal shows; files hold all."""
DEFAULT_POLICIES = ["random", "least_loaded", "panda_production", "earliest_completion"]


def benchmark(
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="A registered policy, tuned@FIT, tuned@FILE, oracle:NAME, an agent's folder, a "
            "group (heuristics, oracles, bound), or one of your own: file:my_policy.py with a "
            'function act, or process:"COMMAND" that answers in JSON lines; repeatable.'
        ),
    ] = None,
    stream: Annotated[
        list[str] | None, typer.Option(help="Surrogate, trace or file of records; repeatable.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Paired episodes, one a seed.", show_default="10; 3 at scale 1"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write; a killed run resumes there.")] = Path(
        "runs/benchmark"
    ),
    baseline: Annotated[
        str | None, typer.Option(help="Policy that differences are measured against.")
    ] = None,
    platform: Platform = "atlas150",
    scale: Annotated[
        list[float] | None,
        typer.Option(
            help="Factor on the cores of every site; repeatable.", show_default=SCALE_SHOWN
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Judged decisions of an episode.",
            show_default="2000; 10000 at scale 0.1, 50000 at 1",
        ),
    ] = None,
    warmup: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Jobs of the warm start.",
            show_default="500; 5000 at scale 0.1, 50000 at 1",
        ),
    ] = None,
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
    reply_timeout: Annotated[
        float, typer.Option(min=0.001, help="Time for a reply of a process:, s.")
    ] = 10.0,
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
    from panda_gym.benchmarking.standard_suite import expand_policies, expand_scenarios

    scenarios = expand_scenarios(named or ["default"])
    policies = expand_policies(policy or DEFAULT_POLICIES)
    streams = {one: _opened(one, allow_uncertified) for one in stream or ["default"]}
    conditions = list(_conditions(scenarios, platform, scale, load, jobs, warmup, seeds))
    many, sections, rankings = len(conditions) > 1, [], ""
    command = shlex.join(["panda-grid", *sys.argv[1:]])
    for one in conditions:
        settings = one.settings | scenario(
            platform, one.scale, one.load, competing, named=one.scenario, decisions=decisions
        )
        with progress_bar(one.title) as progress:
            table = _compare(
                _timed(one.policies(policies), reply_timeout),
                streams,
                range(seed, seed + one.seeds),
                baseline=baseline,
                folder=out / "cells",
                workers=None if ray is None else workers(ray),
                progress=progress,
                split=split,
                **settings,
            )
        if real is not None:
            rankings += _ranking(table, one.title, real)
        drawn = _pictures(picture or [], one, streams, seed, settings)
        _write(table, out / one.folder if many else out, command, drawn)
        sections.append(Section(one.title, table, command))
    if many:
        _text(out / "leaderboard.md", markdown(sections))
    if across := _across_scales(conditions, sections):
        _text(out / "scales.md", across)
    if rankings:
        _text(out / "rankings.md", rankings)
    if json:
        show({"written": str(out), "policies": policies, "scenarios": scenarios}, json)
    else:
        for section in sections:
            print(_for_terminal(section.title, section.table))
        print(f"\n{across}{rankings}Written: {out}" if across or rankings else f"Written: {out}")


@dataclass(frozen=True)
class _Condition:
    """One table of a benchmark: a scenario at a scale and a load."""

    scenario: str
    scale: float
    load: float | None
    """None: the scenario's own."""
    settings: dict[str, Any]
    """Number of judged jobs and of those of the warm start."""
    seeds: int
    title: str
    """Scenario, and scale and load where they were asked for."""

    @property
    def folder(self) -> str:
        """Name of its folder: atlas, atlas-0.85, atlas-scale-0.1-0.85."""
        return self.title.replace(", scale ", "-scale-").replace(", load ", "-")

    def policies(self, names: list[str]) -> dict[str, str]:
        """Return the policies by label, `tuned` with the weights for scenario and scale."""
        from panda_gym.benchmarking.standard_suite import weights_for

        return {name: weights_for(name, self.scenario, self.scale) for name in names}


def _conditions(
    scenarios: list[str],
    platform: str,
    scales: list[float] | None,
    loads: list[float] | None,
    jobs: int | None,
    warmup: int | None,
    seeds: int | None,
) -> Iterator[_Condition]:
    """Return every scenario at every scale and load, with the sizes of the suite where not given.

    Sizes depend on the scale, see `standard_suite.SIZES`.
    """
    from panda_gym.benchmarking.standard_suite import size_at

    given: list[float | None] = [*loads] if loads else [None]
    for name in scenarios:
        for at in dict.fromkeys(scales or [SMALL_SCALES.get(platform, DEFAULT_SCALE)]):
            size = size_at(at, platform)
            settings = {
                "jobs": size.jobs if jobs is None else jobs,
                "warmup": size.warmup if warmup is None else warmup,
            }
            title = f"{name}, scale {at:g}" if scales else name
            for load in given:
                full = title if load is None else f"{title}, load {load:g}"
                many = size.seeds if seeds is None else seeds
                yield _Condition(name, at, load, settings, many, full)


def _across_scales(conditions: list[_Condition], sections: list[Any]) -> str:
    """How alike the scales rank the rules, for each scenario, load and stream with several."""
    from panda_gym.benchmarking.scales import markdown

    groups: dict[str, dict[float, Any]] = {}
    for one, section in zip(conditions, sections, strict=True):
        title = one.title.replace(f", scale {one.scale:g}", "")
        groups.setdefault(title, {})[one.scale] = section.table
    return "\n".join(
        markdown(title, tables, stream)
        for title, tables in groups.items()
        if len(tables) > 1
        for stream in next(iter(tables.values())).streams
    )


def _timed(policies: dict[str, str], seconds: float) -> dict[str, Any]:
    """Return policies by label, those of other processes with their time for a reply."""
    from panda_gym.benchmarking.policy_resolution import PROCESS
    from panda_gym.environments.placement.protocol import ProcessPolicy

    return {
        label: ProcessPolicy(name.removeprefix(PROCESS), timeout_s=seconds)
        if name.startswith(PROCESS)
        else name
        for label, name in policies.items()
    }


def _for_terminal(title: str, table: Any) -> str:
    """Return the tables of one benchmark in lines that fit the terminal."""
    from panda_gym.benchmarking.lower_bounds import distance

    parts = []
    for shown in table.text_tables(SHOWN):
        lines = lines_of_table(shown.head, shown.body, terminal_width())
        parts.append("\n".join([f"{title}: {shown.caption}", "", *lines]))
    parts += [f"{title}, {one}: {text}" for one in table.streams if (text := distance(table, one))]
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
    policies: list[str],
    condition: _Condition,
    streams: dict[str, Any],
    seed: int,
    settings: dict[str, Any],
) -> list[str]:
    """Heat maps and Gantt charts of one run of each policy on the first stream."""
    import numpy as np

    from panda_gym.benchmarking.episodes import play
    from panda_gym.benchmarking.policy_resolution import find_policies
    from panda_gym.environments.placement.batch import PlacementBatch
    from panda_gym.environments.placement.scenario import Scenario
    from panda_gym.visualization.report.occupancy import gantt, heat_maps

    if not policies:
        return []
    drawn = []
    for label, policy in find_policies(condition.policies(policies), condition.scale).items():
        batch = PlacementBatch(Scenario.of(**settings, stream=next(iter(streams.values()))), 1)
        play(batch, policy, [seed], label=label)
        log, cores = batch.log(0), np.asarray(batch.platform.cores)
        drawn += [f(log, cores, batch.platform.names, label) for f in (heat_maps, gantt)]
    return drawn


def _write(table: Any, folder: Path, command: str, drawn: list[str]) -> None:
    """All the files of one table."""
    from panda_gym.benchmarking.class_tables import class_tables
    from panda_gym.benchmarking.render import markdown
    from panda_gym.visualization.report.benchmark import write_page
    from panda_gym.visualization.report.front import standalone_front
    from panda_gym.visualization.report.intervals import standalone

    table.to_csv(folder / "benchmark.csv")
    table.to_json(folder / "benchmark.json")
    classes = [one for stream in table.streams for one in class_tables(table, stream)]
    _text(folder / "benchmark.md", f"{table.to_markdown()}\n{markdown(classes)}")
    _text(folder / "front.svg", standalone_front(table, table.streams[0]))
    _text(folder / "benchmark.svg", standalone(table, "geometric_slowdown", table.streams[0]))
    write_page(table, folder / "benchmark.html", command=command, pictures=drawn)


def _text(path: Path, text: str) -> None:
    from panda_gym.files import whole_file

    with whole_file(path) as aside:
        aside.write_text(text)
