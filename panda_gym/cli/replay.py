"""`panda-grid replay`: write a page that plays a logged episode."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Json, show


def replay(
    log: Annotated[Path, typer.Argument(help="Log of an episode: `simulate --log run.parquet`.")],
    out: Annotated[Path, typer.Option(help="Page to write.")] = Path("replay.html"),
    frames: Annotated[int, typer.Option(help="Scenes on the slider.")] = 480,
    json: Json = False,
) -> None:
    """Write a page with a map, curves and a time slider; it needs no network."""
    from panda_gym.visualization.replay import write_replay

    path = write_replay(log, out, frames)
    show({"written": str(path), "bytes": path.stat().st_size}, json)
