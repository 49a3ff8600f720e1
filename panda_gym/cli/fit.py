"""`panda-grid fit`: fit a generator to the training part of the records."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show


def settings(pairs: list[str]) -> dict[str, Any]:
    """`key=value` pairs as a configuration; values are read as JSON where they can be."""
    from panda_gym.errors import SettingError

    config: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise SettingError("--set key=value", repr(pair), "write for example --set steps=50")
        try:
            config[key] = jsonlib.loads(value)
        except ValueError:
            config[key] = value
    return config


def fit(
    records: Annotated[Path, typer.Argument(help="Records: an export or nine columns.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("runs/fitted"),
    generator: Annotated[str, typer.Option(help="A registered generator.")] = "tabddpm",
    option: Annotated[
        list[str] | None, typer.Option("--set", help="Setting of the generator, key=value.")
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Split the records 80/20, fit a generator to the training part, write both into a folder."""
    from panda_gym.records import load_records
    from panda_gym.surrogate import build

    config = settings(option or [])
    group = config.get("group")
    table = load_records(records, keep=[] if group is None else [group])
    with progress_bar(f"fit {generator}") as progress:
        done = build.fit(
            table,
            out,
            generator=generator,
            config=config,
            seed=seed,
            progress=progress,
        )
    show({**asdict(done), "written": str(out)}, json)
