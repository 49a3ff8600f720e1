"""`panda-grid verify`: check a sealed folder's hashes, and that its head can be drawn again."""

from __future__ import annotations

from typing import Annotated

import typer

from panda_gym.cli.console import Json, show


def verify(
    surrogate: Annotated[str, typer.Argument(help="Sealed folder, or a shipped name.")] = "default",
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw the sealed head again and compare it.")
    ] = False,
    json: Json = False,
) -> None:
    """Re-hash everything; exit code 2 if a file was altered, 1 if the certificate failed."""
    from panda_gym.surrogate import Surrogate

    opened = Surrogate.open(surrogate, allow_uncertified=True)
    result = {
        "name": opened.name,
        "origin": opened.origin,
        "files": len(opened.seal.files),
        "seal": "intact",
        "certificate": "passed" if opened.certificate.passed else "failed",
    }
    if redraw:
        result["head"] = f"{opened.redraw():.1%} of rows drawn again exactly"
    show(result, json)
    raise typer.Exit(0 if opened.certificate.passed else 1)
