"""The options that name jobs and sites, shared by the verbs that run the environment."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Stream = Annotated[
    str,
    typer.Option(help="Surrogate (name or folder), trace (.swf, .swf.gz) or file of records."),
]
Platform = Annotated[str, typer.Option(help="Sites: a shipped name, a file or a folder.")]
Scale = Annotated[float, typer.Option(help="Factor on the cores of every site.")]
Load = Annotated[float, typer.Option(help="Offered work / capacity; 0 keeps the recorded times.")]
Competing = Annotated[float, typer.Option(help="Mean share of the cores that others use.")]


def scenario(
    platform: str, scale: float, load: float, competing: float, **others: Any
) -> dict[str, Any]:
    """The environment's settings from the command line's options."""
    shares = {"load": load or None, "competing": competing}
    return {"platform": platform, "scale": scale, **shares, **others}


def job_stream(named: str, allow_uncertified: bool) -> dict[str, Any]:
    """The environment's `stream` or `surrogate` setting for what the user named."""
    from panda_gym.benchmarking.contestants import find_streams
    from panda_gym.surrogate import Surrogate

    settings = dict(find_streams([named])[0].settings)
    if allow_uncertified and "surrogate" in settings:
        settings["surrogate"] = Surrogate.open(settings["surrogate"], allow_uncertified=True)
    return settings
