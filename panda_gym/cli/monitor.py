"""`panda-grid monitor`: measure a surrogate on new records; refit it when its fidelity drops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panda_gym.cli.console import Json, Seed, progress_bar, show
from panda_gym.cli.fit import settings


def monitor(
    surrogate: Annotated[str, typer.Argument(help="Sealed folder or shipped name in service.")],
    records: Annotated[list[Path], typer.Argument(help="Files of new records, oldest first.")],
    out: Annotated[Path, typer.Option(help="Folder of the journal and of new versions.")] = Path(
        "runs/monitor"
    ),
    staleness: Annotated[
        float | None, typer.Option(help="Refit at this share of fidelity lost.")
    ] = None,
    improvement: Annotated[
        float | None, typer.Option(help="Refit at this distance from as good as real.")
    ] = None,
    page_hinkley: Annotated[
        float | None, typer.Option(help="Refit when the detector passes this.")
    ] = None,
    generator: Annotated[
        str | None, typer.Option(help="Generator to refit; the surrogate's own if left out.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="Setting of the generator, key=value.")
    ] = None,
    full: Annotated[bool, typer.Option(help="Certify in full instead of quick.")] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Measure fidelity on each file; refit and certify when a trigger fires; go on if repeated."""
    from panda_gym.experiments.monitoring import monitor as run
    from panda_gym.pipelines.triggers import Triggers

    given = (staleness, improvement, page_hinkley)
    # A detector needs observations in time; here each file is one.
    triggers = (
        Triggers(staleness=staleness, improvement=improvement, page_hinkley=page_hinkley)
        if any(value is not None for value in given)
        else None
    )
    with progress_bar("monitor") as progress:
        reports = run(
            surrogate, records, out, triggers=triggers, generator=generator,
            config=settings(option or []), quick=not full, seed=seed, progress=progress,
        )  # fmt: skip
    fields = ("performance", "staleness", "reason", "outcome", "version")
    show({one.batch: {name: getattr(one, name) for name in fields} for one in reports}, json)
