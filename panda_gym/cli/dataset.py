"""`panda-grid dataset`: record episodes of known policies for offline learning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from panda_gym.cli.console import AllowUncertified, Json, Ray, progress_bar, show, workers
from panda_gym.cli.source import (
    Competing,
    Load,
    Named,
    Platform,
    Scale,
    Stream,
    job_stream,
    scenario,
)
from panda_gym.errors import SettingError

FILES: Final = {"dsrl": "dsrl.hdf5", "d3rlpy": "d3rlpy.hdf5", "minari": "minari"}
Seed = Annotated[
    int, typer.Option(min=0, help="Episode i has seed SEED + i; far from other seeds.")
]


def dataset(
    out: Annotated[Path, typer.Option(help="Folder to write; resumes where it stopped.")] = Path(
        "runs/dataset"
    ),
    transitions: Annotated[int, typer.Option(min=1, help="Decisions in all.")] = 100_000,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="A policy or an agent's folder, NAME or NAME=WEIGHT; repeat it."),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="Behaviours by name, where no --policy is given.")
    ] = "medley",
    epsilon: Annotated[float, typer.Option(help="Probability of any legal site instead.")] = 0.1,
    form: Annotated[
        list[str] | None, typer.Option("--format", help="Also write dsrl, minari, d3rlpy.")
    ] = None,
    side_by_side: Annotated[int, typer.Option(min=1, help="Episodes played at once.")] = 16,
    ray: Ray = None,
    stream: Stream = "default",
    platform: Platform = "atlas150",
    scale: Scale = None,
    jobs: Annotated[int, typer.Option(min=1, help="Decisions of an episode.")] = 2_000,
    named: Named = "default",
    load: Load = None,
    competing: Competing = None,
    reward: Annotated[str, typer.Option(help="Name of the reward.")] = "predicted",
    seed: Seed = 500_000,
    json: Json = False,
    allow_uncertified: AllowUncertified = False,
) -> None:
    """Log transitions with masks, costs and the probability of each action, as Parquet shards."""
    from panda_gym.offline import datasets

    for name in form or []:
        _known(name, list(datasets.FORMATS))
    settings = scenario(platform, scale, load, competing, named=named, jobs=jobs, reward=reward)
    with progress_bar("dataset") as progress:
        data = datasets.collect(
            out,
            dict(map(_weighted, policy)) if policy else datasets.recipe(recipe),
            transitions,
            seed=seed,
            epsilon=epsilon,
            side_by_side=side_by_side,
            workers=workers(ray),
            progress=progress,
            **{**settings, **job_stream(stream, allow_uncertified)},
        )
        written = []
        for name in form or []:
            progress(0, 0, f"writing {name}")
            written.append(datasets.export(data, name, out / FILES[name]))
    show(
        {
            "data set": str(out),
            "transitions": len(data),
            "episodes": len(data.returns),
            "mean return": round(float(data.returns.mean()), 3),
            "mean cost": round(float(data.costs.mean()), 4),
            "cost limits": list(data.cost_limits),
            "also written": [str(path) for path in written],
        },
        json,
    )


def _weighted(text: str) -> tuple[str, float]:
    name, sign, weight = text.rpartition("=")
    if not sign:
        return text, 1.0
    try:
        return name, float(weight)
    except ValueError:
        raise SettingError("NAME=WEIGHT", repr(text), "pass for example random=2") from None


def _known(name: str, formats: list[str]) -> None:
    from panda_gym.errors import nearest

    if name not in formats:
        raise SettingError("the name of a format", repr(name), nearest(name, formats))
