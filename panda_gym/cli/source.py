"""Options that name jobs and sites, shared by the verbs that run the environment."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from panda_gym.environments.placement.named_scenarios import (
    DEFAULT_SCALE,
    SCENARIOS,
    SMALL_SCALES,
)

Stream = Annotated[
    str,
    typer.Option(help="Surrogate (name or folder), trace (.swf, .swf.gz) or file of records."),
]
Named = Annotated[
    str,
    typer.Option("--scenario", help=f"One of {', '.join(SCENARIOS)}."),
]
Platform = Annotated[str, typer.Option(help="Sites: a shipped name, a file or a folder.")]
SCALE_SHOWN: Final = f"{DEFAULT_SCALE}; " + ", ".join(
    f"{scale:g} for {name}" for name, scale in SMALL_SCALES.items()
)
"""Default of --scale, as the help shows it."""
Scale = Annotated[
    float | None,
    typer.Option(help="Factor on the cores of every site.", show_default=SCALE_SHOWN),
]
Load = Annotated[
    float | None,
    typer.Option(
        help="Offered work / capacity; 0 keeps the recorded times.", show_default="scenario's"
    ),
]
Competing = Annotated[
    float | None,
    typer.Option(help="Mean share of cores that competing load uses.", show_default="scenario's"),
]


Discipline = Annotated[
    str | None,
    typer.Option(
        help="Queues of the sites: fifo, priority, easy or conservative.",
        show_default="scenario's",
    ),
]
Reservations = Annotated[
    int | None,
    typer.Option(
        help="Most waiting jobs of a site with a reservation (conservative).",
        show_default="scenario's",
    ),
]
RequestedFactor = Annotated[
    float | None,
    typer.Option(
        help="Requested over predicted run time of jobs without a recorded request.",
        show_default="none",
    ),
]
Kill = Annotated[bool, typer.Option("--kill", help="Kill jobs at their requested wall times.")]


def scenario(
    platform: str,
    scale: float | None,
    load: float | None,
    competing: float | None,
    *,
    named: str | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The environment's settings from the command line's options; None: the scenario's own."""
    scale = SMALL_SCALES.get(platform, DEFAULT_SCALE) if scale is None else scale
    settings: dict[str, Any] = {"platform": platform, "scale": scale, **others}
    if named is not None:
        settings["scenario"] = named
    if load is not None:
        settings["load"] = load or None
    if competing is not None:
        settings["competing"] = competing
    return settings


def job_stream(named: str, allow_uncertified: bool) -> dict[str, Any]:
    """The environment's `stream` or `surrogate` setting for what the user named."""
    from panda_gym.benchmarking.policy_resolution import find_streams
    from panda_gym.surrogate import Surrogate

    settings = dict(find_streams([named])[0].settings)
    if allow_uncertified and "surrogate" in settings:
        settings["surrogate"] = Surrogate.open(settings["surrogate"], allow_uncertified=True)
    return settings
