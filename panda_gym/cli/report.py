"""`panda-grid report`: write the page of a run from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Json, show


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run.")] = Path("runs/demo"),
    json: Json = False,
) -> None:
    """Write report.html of a run's folder from what lies in it."""
    from panda_gym.visualization.report import write_report

    show({"report": str(write_report(folder))}, json)
